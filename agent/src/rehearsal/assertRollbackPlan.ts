import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'
import { keyAsJson, type Key } from '../engine/keys.ts'
import type { RunContext } from '../kind/kind.ts'
import { rejectFullScan } from '../engine/queryPlanGuard.ts'
import { rangeCondition } from '../engine/keyRange.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'

/** Rows per statement when a rollback archives types. */
const ARCHIVE_BATCH_ROWS = 10_000

/**
 * Checks the query plan of a rollback on the real table, for a range in the middle of the sampled keys, without running
 * the query.
 * @throws OperationFailedError if each batch would scan the whole table
 */
export async function assertRollbackPlan(
  run: RunContext,
  sql: Sql,
  copy: Rollout,
  table: Table,
  tableRows: number,
): Promise<string> {
  const columns = table.key.map((column) => `t.${column.sql}`).join(', ')
  const keyAtOffset = async (offset: number): Promise<Key | null> => {
    const [row] = await sql.unsafe<{ key: Key }[]>(
      `select /* sti */ ${keyAsJson(table.key, 't')} as key from ${copy.table.sql} as t order by ${columns} offset ${offset} limit 1`,
    )
    return row?.key ?? null
  }
  const { rows } = onlyRow(
    await sql.unsafe<{ rows: number }[]>(`select /* sti */ count(*)::int as rows from ${copy.table.sql}`),
  )
  const step = Math.max(
    1,
    Math.min(Math.floor(rows / 50), Math.floor((ARCHIVE_BATCH_ROWS * rows) / Math.max(1, tableRows))),
  )
  const [low, high] = [await keyAtOffset(Math.floor(rows / 2)), await keyAtOffset(Math.floor(rows / 2) + step)]
  if (low === null || high === null) return 'not checked: the sample is too small'
  const walked = { table: run.rollout.table, key: table.key }
  const { condition, values } = rangeCondition(walked, { low, high, rows: ARCHIVE_BATCH_ROWS }, 1)
  const statement = `select ${run.rollout.derive('t')} from ${run.rollout.table.sql} as t where ${condition}`
  await rejectFullScan(sql, { table: run.rollout.table, statement, values, keyColumns: table.key })
  return 'a rollback reads the table along its key'
}
