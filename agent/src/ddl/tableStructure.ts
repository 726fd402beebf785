import type { Sql } from '../database/connect.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import { onlyRow } from '../database/onlyRow.ts'

/** Definitions of the parts of a table by name, such as `column name` or `index public.vehicles_name`. */
export type TableStructure = Readonly<Record<string, string>>

/** SQL expression (jsonb) of a TableStructure; NULL if the table does not exist. */
export function tableStructureSql(table: string): string {
  const relation = `to_regclass(${quoteLiteral(table)})`
  return `(select jsonb_object_agg(p.name, p.definition) from (
    select 'table' as name, concat_ws(' ', c.relkind, c.relpersistence, c.reloptions::text, c.relrowsecurity, c.relforcerowsecurity,
        c.relreplident, c.relowner::regrole, c.relacl::text) as definition
      from pg_class c where c.oid = ${relation}
    union all select 'column ' || a.attname, concat_ws(' ', row_number() over (order by a.attnum), format_type(a.atttypid, a.atttypmod),
        case when a.attnotnull then 'not null' end, 'default ' || pg_get_expr(d.adbin, d.adrelid), nullif(a.attgenerated, ''),
        nullif(a.attidentity, ''), nullif(a.attcollation, 0)::regcollation, a.attacl::text)
      from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = ${relation} and a.attnum > 0 and not a.attisdropped
    union all select 'constraint ' || conname, pg_get_constraintdef(oid) from pg_constraint where conrelid = ${relation}
    union all select 'index ' || indexrelid::regclass, pg_get_indexdef(indexrelid) from pg_index where indrelid = ${relation}
    union all select 'trigger ' || tgname, concat_ws(' ', pg_get_triggerdef(oid), tgenabled)
      from pg_trigger where tgrelid = ${relation} and not tgisinternal
    union all select 'rule ' || rulename, pg_get_ruledef(oid) from pg_rewrite where ev_class = ${relation}
    union all select 'policy ' || polname, concat_ws(' ', polcmd, polpermissive, polroles::text,
        pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)) from pg_policy where polrelid = ${relation}
    union all select 'partition ' || relid::regclass, pg_get_expr(c.relpartbound, c.oid)
      from pg_partition_tree(${relation}) t join pg_class c on c.oid = t.relid where t.level > 0
  ) as p)`
}

export async function readTableStructure(sql: Sql, table: string): Promise<TableStructure> {
  const result = await sql.unsafe<{ structure: TableStructure | null }[]>(
    `select /* sti */ ${tableStructureSql(table)} as structure`,
  )
  return onlyRow(result).structure ?? {}
}

/** Lists the parts that were added, removed, or changed. */
export function describeStructureDifferences(before: TableStructure, after: TableStructure): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted()
  return names.flatMap((name) => {
    if (before[name] === after[name]) return []
    if (before[name] === undefined) return [`${name} was added`]
    return [
      after[name] === undefined ? `${name} was removed` : `${name} was changed from ${before[name]} to ${after[name]}`,
    ]
  })
}
