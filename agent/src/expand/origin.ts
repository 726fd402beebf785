import { contentOf } from '../engine/content.ts'
import type { Run } from '../engine/kind.ts'
import { structureOf } from '../engine/structure.ts'
import { literal } from '../rollout/names.ts'
import type { Table } from '../rollout/rollout.ts'

/** A table that takes longer to read than this is not summed: a snapshot of this length hurts nobody. */
const READING_MS = 5_000
/** One of more bytes would, so it is not begun. */
const LARGEST = 2 * 1024 ** 3

/**
 * What a rollback is compared with, as a statement that comes before our first change in its transaction: the structure
 * of the table, and a sum over its rows where reading them takes seconds.
 */
export async function originOf({ rollout, database, operation }: Run, table: Table): Promise<string> {
  const sql = database.engine({
    purpose: 'expand',
    searchPath: rollout.searchPath,
    readOnly: true,
    statementTimeoutMs: READING_MS,
    parallel: true,
  })
  try {
    const content =
      table.bytes > LARGEST ? null : await contentOf(sql, rollout.table, table, rollout.discriminator.column)
    const [rows, checksum] = content === null ? ['null', 'null'] : [String(content.rows), literal(content.checksum)]
    return `insert into sti.table_origin (rollout, operation_id, relation, structure, rows, checksum)
      values (${literal(rollout.name)}, ${operation.id}, ${table.oid}, ${structureOf(rollout.table.sql)}, ${rows}, ${checksum})
      on conflict (rollout) do update set operation_id = excluded.operation_id, at = clock_timestamp(),
        relation = excluded.relation, structure = excluded.structure, rows = excluded.rows, checksum = excluded.checksum`
  } finally {
    await sql.end({ timeout: 1 })
  }
}
