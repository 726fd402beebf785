import type { Sql } from '../database/connect.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { dualWriteColumns } from './columnShape.ts'

/**
 * The columns that CHECK constraints tie to the legacy columns, directly or through each other: new code that writes a
 * type alone has to write them, too. Without those of the key, and those that nobody can write.
 */
export async function readTiedColumns(sql: Sql, rollout: Rollout, table: Table): Promise<string[]> {
  const constraints = await sql<{ columns: string[] }[]>`
    select (select jsonb_agg(a.attname) from pg_attribute a where a.attrelid = c.conrelid and a.attnum = any (c.conkey)) as columns
    from pg_constraint c
    where c.contype = 'c' and c.conkey <> '{}' and (c.conrelid = ${table.oid}::oid or c.conrelid in (select relid from pg_partition_tree(${table.oid}::oid::regclass)))`
  const tied = new Set([...dualWriteColumns(rollout), ...rollout.legacyColumns])
  for (let size = 0; size < tied.size;) {
    size = tied.size
    for (const { columns } of constraints) {
      if (columns.some((column) => tied.has(column))) for (const column of columns) tied.add(column)
    }
  }
  const isKey = (name: string): boolean => table.key.some((column) => column.name === name)
  return table.columns
    .filter(
      ({ name, generated, identity }) =>
        tied.has(name) && name !== rollout.discriminator.column && !generated && identity !== 'always' && !isKey(name),
    )
    .map(({ name }) => name)
}
