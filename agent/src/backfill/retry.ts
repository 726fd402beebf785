import { codeOf, faultOf, messageOf } from '../engine/errors.ts'
import { recordFailedRow } from '../engine/failedRow.ts'
import { bind, tuple, type Key } from '../engine/keys.ts'
import { createPatience } from '../engine/patience.ts'
import { FIRST_PARAMETER, writeBatch, type Rows } from './batch.ts'
import { countFailedRows, openFailedKeys, settleFailedRow } from './failedRows.ts'
import type { Sweep } from './sweep.ts'

/**
 * Tries each failed row once more, alone, and settles those that are right now or gone. Answers how many still fail,
 * or null when it was asked to stop.
 */
export async function retryFailedRows(sweep: Sweep): Promise<number | null> {
  const { state, target } = sweep
  const patience = createPatience(sweep.sql, sweep.retried)
  for (const key of await openFailedKeys(state, target.rollout.name)) {
    for (;;) {
      if (!(await sweep.goOn())) return null
      try {
        await retryRow(sweep, key)
        patience.calm()
        break
      } catch (error) {
        await patience.bear(error)
      }
    }
  }
  return await countFailedRows(state, target.rollout.name)
}

async function retryRow({ target, lane, sql }: Sweep, key: Key): Promise<void> {
  const rows: Rows = {
    condition: `${tuple(target.walked.key, 't')} = ${bind(target.walked.key, FIRST_PARAMETER)}`,
    values: key,
  }
  const stay = { position: lane.position, nextPosition: lane.position, passed: 0 } as const
  try {
    await writeBatch(sql, target, lane, { rows, ...stay, flush: true })
    await settleFailedRow(sql, target, key)
  } catch (error) {
    if (faultOf(error) !== 'row') throw error
    const why = { sqlstate: codeOf(error) ?? 'unknown', message: messageOf(error) }
    await recordFailedRow(sql, target.rollout.name, lane, { key, ...why, ...stay })
  }
}
