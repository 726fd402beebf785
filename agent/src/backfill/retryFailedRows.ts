import type { Sql } from '../database/connect.ts'
import { classifyError, errorCode, errorMessage, isLockTimeout } from '../database/errors.ts'
import { BATCH_ROWS_FIRST_PARAMETER, writeBatch } from '../engine/batch.ts'
import type { BulkUpdateJob } from '../engine/bulkUpdateJob.ts'
import type { RowCondition } from '../engine/columnUpdate.ts'
import { FAILED_ROW_FIRST_PARAMETER, recordFailedRow } from '../engine/failedRow.ts'
import { probeHeldRow } from '../engine/heldRows.ts'
import { compareKeys, keyColumns, keyParameters, type Key } from '../engine/keys.ts'
import type { Lane } from '../engine/lane.ts'
import { createRetryBackoff } from '../engine/retryBackoff.ts'
import { countFailedRows, listFailedRowKeys, markFailedRowRecovered } from './failedRows.ts'

/**
 * Retries each failed row once, alone, and marks rows that are right now or deleted as recovered. A row that another
 * transaction has locked is retried after the others, until it is free. `lane` is the operation's own lane. Returns the
 * number of rows that still fail, or null if the operation was asked to stop.
 */
export async function retryFailedRows(job: BulkUpdateJob, lane: Lane): Promise<number | null> {
  const { run, columnUpdate, hooks } = job
  const { state } = run.database
  const sql = job.connect()
  const mayContinue = job.gate.worker()
  const backoff = createRetryBackoff(sql, (sqlstate) => hooks.onRetry(sqlstate))
  try {
    const pending = [...(await listFailedRowKeys(state, columnUpdate.rollout))]
    let heldInARow = 0
    for (let key = pending[0]; key !== undefined; key = pending[0]) {
      if (!(await mayContinue())) return null
      try {
        await run.failpoint('retry.row')
        await retryRow(job, lane, sql, key)
        backoff.reset()
        pending.shift()
        heldInARow = 0
      } catch (error) {
        if (isLockTimeout(error)) {
          pending.push(pending.shift()!)
          heldInARow++
          if (heldInARow < pending.length) continue
          await reportHeldRows(job, sql, pending)
        }
        await backoff.waitOrThrow(error)
      }
    }
    job.heldRows.setRemaining(0, [])
    await hooks.betweenBatches()
    return await countFailedRows(state, columnUpdate.rollout)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** Every failed row that is left is held. */
async function reportHeldRows(job: BulkUpdateJob, sql: Sql, keys: readonly Key[]): Promise<void> {
  const { heldRows, columnUpdate, hooks, run } = job
  heldRows.setRemaining(keys.length, keys)
  const probed = { table: run.rollout.table.sql, columnUpdate }
  await probeHeldRow(run.database.state, sql, probed, keys[0]!, (holders) => heldRows.setHolders(holders))
  await hooks.betweenBatches()
}

async function retryRow({ columnUpdate, run }: BulkUpdateJob, lane: Lane, sql: Sql, key: Key): Promise<void> {
  const relation = run.rollout.table
  const row = (first: number): RowCondition => ({
    condition: compareKeys(
      columnUpdate.key,
      '=',
      keyColumns(columnUpdate.key, 't'),
      keyParameters(columnUpdate.key, first),
    ),
    values: key,
  })
  try {
    await writeBatch(sql, columnUpdate, lane, {
      relation,
      rows: row(BATCH_ROWS_FIRST_PARAMETER),
      nextPosition: lane.position,
      passedRows: 0,
      unmappedRecording: 'uncounted',
      flush: true,
    })
    await run.failpoint('retry.written')
    await markFailedRowRecovered(sql, run.rollout, columnUpdate.key, key)
  } catch (error) {
    if (classifyError(error) !== 'row') throw error
    await recordFailedRow(sql, columnUpdate, lane, {
      relation: relation.sql,
      rowCondition: row(FAILED_ROW_FIRST_PARAMETER),
      sqlstate: errorCode(error) ?? 'unknown',
      message: errorMessage(error),
      nextPosition: lane.position,
      passedRows: 0,
    })
  }
}
