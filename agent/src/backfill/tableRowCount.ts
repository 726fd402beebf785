import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'
import { classifyError } from '../database/errors.ts'
import { OperationPausedError } from '../kind/operationErrors.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'

/** Below this many rows an exact count costs less than a wrong time left. */
const EXACT_COUNT_MAX_ROWS = 5_000_000

/** Rows of the table: counted when it is small or was never analyzed, else what the statistics say. */
export async function countOrEstimateRows(sql: Sql, rollout: Rollout, table: Table): Promise<number> {
  if (table.estimatedRows !== null && table.estimatedRows > EXACT_COUNT_MAX_ROWS) return Math.round(table.estimatedRows)
  try {
    const result = await sql.unsafe<{ rows: string }[]>(`select count(*)::text as rows from ${rollout.table.sql}`)
    return Number(onlyRow(result).rows)
  } catch (error) {
    if (classifyError(error) !== 'cancelled') throw error
    if (table.estimatedRows !== null) return Math.round(table.estimatedRows)
    throw new OperationPausedError(
      `${rollout.table.sql} was never analyzed and takes long to count: run ANALYZE on it, then resume.`,
    )
  }
}
