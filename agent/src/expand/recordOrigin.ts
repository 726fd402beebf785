import { readTableChecksum } from '../ddl/tableChecksum.ts'
import type { RunContext } from '../kind/kind.ts'
import { tableStructureSql } from '../ddl/tableStructure.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import type { Table } from '../rollout/rollout.ts'

/** Limit for reading the table: a snapshot of this length does no harm. A slower table has no checksum. */
const CHECKSUM_TIMEOUT_MS = 5_000
/** A larger table would exceed the time limit. */
const MAX_CHECKSUM_BYTES = 2 * 1024 ** 3

/**
 * SQL that records what a rollback is compared with: the structure of the table, and a checksum of its rows if reading
 * them takes seconds. It runs before the first change, in the same transaction.
 */
export async function recordOriginSql({ rollout, database, operation }: RunContext, table: Table): Promise<string> {
  const sql = database.engine({
    purpose: 'expand',
    readOnly: true,
    statementTimeoutMs: CHECKSUM_TIMEOUT_MS,
    parallel: true,
  })
  try {
    const tableChecksum =
      table.bytes > MAX_CHECKSUM_BYTES
        ? null
        : await readTableChecksum(sql, rollout.table, table, rollout.discriminator.column)
    const [rows, checksum] =
      tableChecksum === null ? ['null', 'null'] : [String(tableChecksum.rows), quoteLiteral(tableChecksum.checksum)]
    return `insert into sti.table_origin (rollout, operation_id, relation, structure, row_count, checksum)
      values (${quoteLiteral(rollout.name)}, ${operation.id}, ${table.oid}, ${tableStructureSql(rollout.table.sql)}, ${rows}, ${checksum})
      on conflict (rollout) do update set operation_id = excluded.operation_id, recorded_at = clock_timestamp(),
        relation = excluded.relation, structure = excluded.structure, row_count = excluded.row_count, checksum = excluded.checksum`
  } finally {
    await sql.end({ timeout: 1 })
  }
}
