import { FIRST_PARAMETER, writeBatch } from '../engine/batch.ts'
import type { Rows } from '../engine/change.ts'
import { codeOf, faultOf, messageOf } from '../engine/errors.ts'
import { FAILED_ROW_PARAMETER, recordFailedRow } from '../engine/failedRow.ts'
import { bind, tuple, type Key } from '../engine/keys.ts'
import { createPatience } from '../engine/patience.ts'
import { countFailedRows, openFailedKeys, settleFailedRow } from './failedRows.ts'
import type { Sweep } from '../engine/sweep.ts'

/**
 * Tries each failed row once more, alone, and settles those that are right now or gone. Answers how many still fail,
 * or null when it was asked to stop.
 */
export async function retryFailedRows(sweep: Sweep): Promise<number | null> {
  const { run, change } = sweep
  const { state } = run.database
  const sql = sweep.connect()
  const goOn = sweep.gate.worker()
  const patience = createPatience(sql, sweep.retried)
  try {
    for (const key of await openFailedKeys(state, change.rollout)) {
      for (;;) {
        if (!(await goOn())) return null
        try {
          await run.reached('retry.row')
          await retryRow(sweep, sql, key)
          patience.calm()
          break
        } catch (error) {
          await patience.bear(error)
        }
      }
    }
    return await countFailedRows(state, change.rollout)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

async function retryRow(sweep: Sweep, sql: ReturnType<Sweep['connect']>, key: Key): Promise<void> {
  const { change, lane, run } = sweep
  const relation = run.rollout.table
  const row = (first: number): Rows => ({
    condition: `${tuple(change.key, 't')} = ${bind(change.key, first)}`,
    values: key,
  })
  try {
    const stay = { nextPosition: lane.position, passed: 0, records: 'uncounted' as const, flush: true }
    await writeBatch(sql, change, lane, { relation, rows: row(FIRST_PARAMETER), ...stay })
    await run.reached('retry.written')
    await settleFailedRow(sql, run.rollout, change.key, key)
  } catch (error) {
    if (faultOf(error) !== 'row') throw error
    const why = { sqlstate: codeOf(error) ?? 'unknown', message: messageOf(error) }
    await recordFailedRow(sql, change, lane, {
      relation: relation.sql,
      row: row(FAILED_ROW_PARAMETER),
      ...why,
      nextPosition: lane.position,
      passed: 0,
    })
  }
}
