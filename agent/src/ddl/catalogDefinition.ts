import { quoteLiteral } from '../rollout/identifiers.ts'

/**
 * SQL expressions (text) that read the current definition of an object from the catalog; NULL if it does not exist.
 * `table` and `name` of functions and indexes are quoted SQL names; other names are as in the catalog.
 */
export const catalogDefinition = {
  column: (table: string, name: string): string =>
    `(select concat_ws(' default ', format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid))
      from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = to_regclass(${quoteLiteral(table)}) and a.attname = ${quoteLiteral(name)} and not a.attisdropped)`,
  notNull: (table: string, name: string): string =>
    `(select case when attnotnull then 'not null' else 'nullable' end from pg_attribute
      where attrelid = to_regclass(${quoteLiteral(table)}) and attname = ${quoteLiteral(name)} and not attisdropped)`,
  trigger: (table: string, name: string): string =>
    `(select concat_ws(' ', pg_get_triggerdef(oid), tgenabled) from pg_trigger
      where tgrelid = to_regclass(${quoteLiteral(table)}) and tgname = ${quoteLiteral(name)} and not tgisinternal)`,
  /** The body, marked if SECURITY DEFINER or the search_path were changed. */
  function: (name: string): string =>
    `(select prosrc || case when prosecdef and exists (select from unnest(proconfig) s where s like 'search_path=pg_catalog%')
        then '' else ' -- not SECURITY DEFINER with our search_path' end
      from pg_proc where oid = to_regprocedure(${quoteLiteral(`${name}()`)}))`,
  index: (name: string): string =>
    `(select pg_get_indexdef(indexrelid) from pg_index where indexrelid = to_regclass(${quoteLiteral(name)}))`,
  /** Without NOT VALID: validation does not change the definition. */
  constraint: (table: string, name: string): string =>
    `(select replace(pg_get_constraintdef(oid), ' NOT VALID', '') from pg_constraint
      where conrelid = to_regclass(${quoteLiteral(table)}) and conname = ${quoteLiteral(name)})`,
}
