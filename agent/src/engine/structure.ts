import type { Sql } from '../database/connect.ts'
import { literal } from '../rollout/names.ts'
import { onlyRow } from './answer.ts'

/** Each part of a table by its name, such as `column name` or `index public.vehicles_name`, with its definition. */
export type Structure = Readonly<Record<string, string>>

/** As an SQL expression of jsonb; null: there is no such table. */
export function structureOf(table: string): string {
  const relation = `to_regclass(${literal(table)})`
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

export async function readStructure(sql: Sql, table: string): Promise<Structure> {
  const answer = await sql.unsafe<{ structure: Structure | null }[]>(
    `select /* sti */ ${structureOf(table)} as structure`,
  )
  return onlyRow(answer).structure ?? {}
}

/** In words what `now` has that `before` had not, has not, or has otherwise. */
export function structureDifferences(before: Structure, now: Structure): string[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])].toSorted()
  return names.flatMap((name) => {
    if (before[name] === now[name]) return []
    if (before[name] === undefined) return [`${name} was added`]
    return [now[name] === undefined ? `${name} is gone` : `${name} is another: ${now[name]}, before ${before[name]}`]
  })
}
