import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../engine/answer.ts'
import { faultOf, OperationTrouble } from '../engine/errors.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'

/** Below this many rows an exact count costs less than a wrong time left. */
const COUNTED_EXACTLY = 5_000_000

/** Rows of the table: counted when it is small or was never analyzed, else what the statistics say. */
export async function rowsOf(sql: Sql, rollout: Rollout, table: Table): Promise<number> {
  if (table.estimatedRows !== null && table.estimatedRows > COUNTED_EXACTLY) return Math.round(table.estimatedRows)
  try {
    const answer = await sql.unsafe<{ rows: string }[]>(`select count(*)::text as rows from ${rollout.table.sql}`)
    return Number(onlyRow(answer).rows)
  } catch (error) {
    if (faultOf(error) !== 'halve') throw error
    if (table.estimatedRows !== null) return Math.round(table.estimatedRows)
    throw new OperationTrouble(
      `${rollout.table.sql} was never analyzed and takes long to count: run ANALYZE on it, then resume.`,
    )
  }
}
