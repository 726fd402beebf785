import { codeOf, faultOf, messageOf } from '../engine/errors.ts'
import { createFeedback } from '../engine/feedback.ts'
import { bind, tuple, type Key } from '../engine/keys.ts'
import type { Lane } from '../engine/lane.ts'
import { inRange, type Range } from '../engine/range.ts'
import { walk, type Walk } from '../engine/walk.ts'
import type { Sql } from '../database/connect.ts'
import { FIRST_PARAMETER, recordFailedRow, writeBatch, type Rows, type Target } from './batch.ts'
import { listFailedRows, settleFailedRow } from './failedRows.ts'

export interface Sweep {
  readonly sql: Sql
  readonly state: Sql
  readonly target: Target
  readonly lane: Lane
  readonly goOn: Walk['goOn']
  readonly retried: Walk['retried']
}

/**
 * Looks at every row again, in ranges, and writes the ones that are not right: rows that came between two batches, or
 * by a hand that went past the trigger. Answers how many were left, or null when it was asked to stop.
 */
export async function sweepOnce(sweep: Sweep, onPoison: () => void): Promise<number | null> {
  const { target, lane, sql } = sweep
  let left = 0
  const finished = await walk({
    sql,
    walked: target.walked,
    from: null,
    to: null,
    feedback: createFeedback(5_000, 20_000, 0.1),
    goOn: sweep.goOn,
    retried: sweep.retried,
    async work(range) {
      const rows = inRange(target.walked, range, 1)
      const [found] = await sql.unsafe<{ wrong: number }[]>(
        `select count(*)::int as wrong from ${target.walked.table.sql} as t
         where ${rows.condition} and t.${target.rollout.discriminator.sql} is distinct from ${target.rollout.derive('t')}`,
        rows.values,
        { prepare: true },
      )
      if (found!.wrong === 0) return
      left += found!.wrong
      await writeInPlace(sweep, range)
    },
    async poison({ range, sqlstate, message }) {
      onPoison()
      await recordFailedRow(sql, target, lane, {
        ...{ key: range.high, sqlstate, message, passed: 0 },
        ...{ position: lane.position, nextPosition: lane.position },
      })
    },
  })
  return finished ? left : null
}

/** Writes the rows of a range without moving the lane. */
async function writeInPlace(sweep: Sweep, range: Range): Promise<void> {
  await writeBatch(sweep.sql, sweep.target, sweep.lane, {
    rows: inRange(sweep.target.walked, range, FIRST_PARAMETER),
    position: sweep.lane.position,
    nextPosition: sweep.lane.position,
    passed: 0,
    flush: true,
  })
}

/** Tries each failed row once more, alone, and settles those that are right now. Answers how many still fail. */
export async function retryFailedRows(sweep: Sweep): Promise<number | null> {
  const { target, lane, sql, state } = sweep
  for (const failed of await listFailedRows(state, target.rollout.name, 100_000)) {
    if (!(await sweep.goOn())) return null
    const rows: Rows = {
      condition: `${tuple(target.walked.key, 't')} = ${bind(target.walked.key, FIRST_PARAMETER)}`,
      values: failed.key,
    }
    const stay = { position: lane.position, nextPosition: lane.position, passed: 0, flush: true }
    try {
      await writeBatch(sql, target, lane, { rows, ...stay })
      await settleFailedRow(state, target, failed.key)
    } catch (error) {
      if (faultOf(error) !== 'row') throw error
      const details = { key: failed.key as Key, sqlstate: codeOf(error) ?? 'unknown', message: messageOf(error) }
      await recordFailedRow(sql, target, lane, { ...details, ...stay })
    }
  }
  return (await listFailedRows(state, target.rollout.name, 100_000)).length
}
