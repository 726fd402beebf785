import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../engine/answer.ts'
import { recordFailedRow } from '../engine/failedRow.ts'
import { createFeedback } from '../engine/feedback.ts'
import { keyAsJson } from '../engine/keys.ts'
import type { Lane } from '../engine/lane.ts'
import { inRange, type Range } from '../engine/range.ts'
import { walk, type Walk } from '../engine/walk.ts'
import { FIRST_PARAMETER, writeBatch, type Target } from './batch.ts'

export interface Sweep {
  readonly sql: Sql
  readonly state: Sql
  readonly target: Target
  /** As it stands when the sweep begins: a sweep does not move it. */
  readonly lane: Lane
  readonly goOn: Walk['goOn']
  readonly retried: Walk['retried']
}

/**
 * Looks at every row again, in ranges, and writes the ones that are not right: rows that came between two batches, or
 * by a hand that went past the trigger. Answers how many rows there are and how many were written or newly recorded as
 * failed, or null when it was asked to stop.
 */
export async function sweepOnce(sweep: Sweep): Promise<{ rows: number; mended: number } | null> {
  const { target, lane, sql } = sweep
  let rows = 0
  let mended = 0
  const finished = await walk({
    ...{ sql, walked: target.walked, from: null, to: null, goOn: sweep.goOn, retried: sweep.retried },
    feedback: createFeedback(5_000, 20_000, 0.1),
    async work(range) {
      const wrong = await wrongRows(sweep, range)
      if (wrong > 0) await writeInPlace(sweep, range)
      // Counted once the write has gone through: a row that cannot be written ends alone in poison().
      rows += range.rows
      mended += wrong
    },
    async poison({ range, sqlstate, message }) {
      const stay = { position: lane.position, nextPosition: lane.position, passed: 0 } as const
      await recordFailedRow(sql, target.rollout.name, lane, { key: range.high, sqlstate, message, ...stay })
      rows++
    },
  })
  return finished ? { rows, mended } : null
}

/** Rows whose type is not the derived one, and rows that no type matches and that are not recorded yet. */
async function wrongRows({ sql, target }: Sweep, range: Range): Promise<number> {
  const { rollout, walked } = target
  const { condition, values } = inRange(walked, range, 2)
  const derived = rollout.derive('t')
  const unrecorded = `${derived} is null and not exists (select from sti.failed_row f
      where f.rollout = $1::text and f.key = ${keyAsJson(walked.key, 't')} and f.recovered_at is null)`
  const answer = await sql.unsafe<{ wrong: number }[]>(
    `select count(*)::int as wrong from ${walked.table.sql} as t where ${condition}
       and (t.${rollout.discriminator.sql} is distinct from ${derived}${rollout.mayBeUnmapped ? ` or ${unrecorded}` : ''})
       and $1::text is not null`,
    [rollout.name, ...values],
    { prepare: true },
  )
  return onlyRow(answer).wrong
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
