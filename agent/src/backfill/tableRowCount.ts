import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'
import { classifyError } from '../database/errors.ts'
import { OperationPausedError } from '../kind/operationErrors.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'

/** Tables with more rows are estimated: an exact count would take too long. */
const EXACT_COUNT_MAX_ROWS = 5_000_000

/** Number of rows in the table: counted if it is small or was never analyzed, else estimated from the statistics. */
export async function countOrEstimateRows(sql: Sql, rollout: Rollout, table: Table): Promise<number> {
  if (table.estimatedRows !== null && table.estimatedRows > EXACT_COUNT_MAX_ROWS) return Math.round(table.estimatedRows)
  try {
    const result = await sql.unsafe<{ rows: string }[]>(`select count(*)::text as rows from ${rollout.table.sql}`)
    return Number(onlyRow(result).rows)
  } catch (error) {
    if (classifyError(error) !== 'cancelled') throw error
    if (table.estimatedRows !== null) return Math.round(table.estimatedRows)
    throw new OperationPausedError(
      `${rollout.table.sql} was never analyzed, and counting its rows timed out. Run ANALYZE on it, then resume.`,
    )
  }
}
