import type { Sql } from '../database/connect.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { partitionTreeCte } from './partitionTreeCte.ts'
import type { ColumnLookup, ColumnUseTarget } from './columnUseTarget.ts'

/**
 * Reads the names by which statements may refer to the table, and the columns of all other relations of the
 * application.
 */
export async function readColumnUseTarget(
  sql: Sql,
  rollout: Pick<Rollout, 'legacyColumns'>,
  table: Pick<Table, 'oid'>,
): Promise<{ readonly target: ColumnUseTarget; readonly columnsOf: ColumnLookup }> {
  const relations = await sql<{ ours: boolean; schema: string; name: string; columns: string[] }[]>`
    with /* sti */ ${partitionTreeCte(sql, table.oid)}
    select c.oid in (select oid from tree) as ours, n.nspname as schema, c.relname as name,
      (select coalesce(jsonb_agg(a.attname order by a.attnum), '[]') from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p', 'v', 'm', 'f') and n.nspname <> 'sti' and n.nspname !~ '^pg_(toast|temp)'
      and n.nspname <> 'information_schema'
    order by c.oid = ${table.oid}::oid desc, n.nspname, c.relname`
  const others = new Map<string, ReadonlySet<string>[]>()
  for (const { schema, name, columns } of relations.filter(({ ours }) => !ours)) {
    const known = new Set(columns)
    for (const key of [name, `${schema}\n${name}`]) others.set(key, [...(others.get(key) ?? []), known])
  }
  return {
    target: {
      relations: relations.filter(({ ours }) => ours).map(({ schema, name, columns }) => ({ schema, name, columns })),
      legacy: rollout.legacyColumns,
    },
    columnsOf(schema, name) {
      const candidates = others.get(schema === null ? name : `${schema}\n${name}`)
      if (candidates === undefined) return null
      // If several relations share a name, only the columns that all of them have are certain.
      return new Set([...candidates[0]!].filter((column) => candidates.every((columns) => columns.has(column))))
    },
  }
}
