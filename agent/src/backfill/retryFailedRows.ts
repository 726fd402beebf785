import { BATCH_ROWS_FIRST_PARAMETER, writeBatch } from '../engine/batch.ts'
import type { RowCondition } from '../engine/columnUpdate.ts'
import { errorCode, classifyError, errorMessage } from '../database/errors.ts'
import { FAILED_ROW_FIRST_PARAMETER, recordFailedRow } from '../engine/failedRow.ts'
import { keyPlaceholders, keyTuple, type Key } from '../engine/keys.ts'
import { createRetryBackoff } from '../engine/retryBackoff.ts'
import { countFailedRows, listFailedRowKeys, markFailedRowRecovered } from './failedRows.ts'
import type { Sweep } from '../engine/sweep.ts'

/**
 * Tries each failed row once more, alone, and settles those that are right now or gone. Answers how many still fail,
 * or null when it was asked to stop.
 */
export async function retryFailedRows(sweep: Sweep): Promise<number | null> {
  const { run, columnUpdate: change } = sweep
  const { state } = run.database
  const sql = sweep.connect()
  const mayContinue = sweep.gate.worker()
  const backoff = createRetryBackoff(sql, sweep.onRetry)
  try {
    for (const key of await listFailedRowKeys(state, change.rollout)) {
      for (;;) {
        if (!(await mayContinue())) return null
        try {
          await run.failpoint('retry.row')
          await retryRow(sweep, sql, key)
          backoff.reset()
          break
        } catch (error) {
          await backoff.waitOrThrow(error)
        }
      }
    }
    return await countFailedRows(state, change.rollout)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function retryRow(sweep: Sweep, sql: ReturnType<Sweep['connect']>, key: Key): Promise<void> {
  const { columnUpdate, lane, run } = sweep
  const relation = run.rollout.table
  const row = (first: number): RowCondition => ({
    condition: `${keyTuple(columnUpdate.key, 't')} = ${keyPlaceholders(columnUpdate.key, first)}`,
    values: key,
  })
  try {
    const stay = { nextPosition: lane.position, passedRows: 0, unmappedRecording: 'uncounted' as const, flush: true }
    await writeBatch(sql, columnUpdate, lane, { relation, rows: row(BATCH_ROWS_FIRST_PARAMETER), ...stay })
    await run.failpoint('retry.written')
    await markFailedRowRecovered(sql, run.rollout, columnUpdate.key, key)
  } catch (error) {
    if (classifyError(error) !== 'row') throw error
    const failure = { sqlstate: errorCode(error) ?? 'unknown', message: errorMessage(error) }
    await recordFailedRow(sql, columnUpdate, lane, {
      relation: relation.sql,
      rowCondition: row(FAILED_ROW_FIRST_PARAMETER),
      ...failure,
      nextPosition: lane.position,
      passedRows: 0,
    })
  }
}
