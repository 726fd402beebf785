import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../engine/answer.ts'
import { faultOf } from '../engine/errors.ts'
import { recordFailedRow } from '../engine/failedRow.ts'
import { createFeedback } from '../engine/feedback.ts'
import { FENCE, FENCE_PARAMETERS, FenceLost, fenceParameters, LEASE, type Lane } from '../engine/lane.ts'
import { inRange, type Range, type Walked } from '../engine/range.ts'
import { walk, type Walk } from '../engine/walk.ts'
import type { Rollout } from '../rollout/rollout.ts'

export interface ClearJob {
  readonly sql: Sql
  readonly rollout: Rollout
  readonly walked: Walked
  readonly lane: Lane
  readonly goOn: Walk['goOn']
  readonly retried: Walk['retried']
  cleared(rows: number, passed: number, seconds: number): void
}

/**
 * Sets a column that was there before us back to NULL, where it still holds the value that we derived: what somebody
 * wrote since stays. In batches with the backfill's fence and checkpoint. A row that cannot be written is recorded as a
 * failed row, and the rest goes on. False when it was asked to stop.
 */
export async function clearColumn(job: ClearJob): Promise<boolean> {
  const { sql, walked, rollout } = job
  let lane = job.lane
  return await walk({
    ...{ sql, walked, from: lane.position, to: null, goOn: job.goOn, retried: job.retried },
    feedback: createFeedback(1_000, 20_000, 0.1),
    async work(range) {
      const started = performance.now()
      const rows = await clearBatch(job, lane, range, 'derived')
      lane = { ...lane, position: range.high }
      job.cleared(rows, range.rows, (performance.now() - started) / 1000)
    },
    async poison({ range, sqlstate, message }) {
      // Where the expression itself raises we derived nothing: whatever stands there is not ours.
      if (await holdsDerived(job, range)) {
        const step = { position: lane.position, nextPosition: range.high, passed: 1 } as const
        await recordFailedRow(sql, rollout.name, lane, { key: range.high, sqlstate, message, ...step })
      } else {
        await clearBatch(job, lane, range, 'nothing')
      }
      lane = { ...lane, position: range.high }
      job.cleared(0, 1, 0)
    },
  })
}

async function holdsDerived({ sql, rollout, walked }: ClearJob, range: Range): Promise<boolean> {
  const { condition, values } = inRange(walked, range, 1)
  try {
    const rows = await sql.unsafe<{ holds: boolean }[]>(
      `select exists (select from ${walked.table.sql} as t
         where ${condition} and t.${rollout.discriminator.sql} = ${rollout.derive('t')}) as holds`,
      values,
    )
    return onlyRow(rows).holds
  } catch (error) {
    if (faultOf(error) === 'row') return false
    throw error
  }
}

/** One batch: fence, rows and checkpoint in one statement. With `nothing` it moves past the range and writes no row. */
async function clearBatch(
  { sql, rollout, walked }: ClearJob,
  lane: Lane,
  range: Range,
  what: 'derived' | 'nothing',
): Promise<number> {
  const type = `t.${rollout.discriminator.sql}`
  const { condition, values } = inRange(walked, range, FENCE_PARAMETERS + 3)
  const derived =
    what === 'nothing' ? 'false' : `${type} is not null and ${type} is not distinct from ${rollout.derive('t')}`
  const answer = await sql.unsafe<{ written: number; moved: number }[]>(
    `with ${FENCE},
  written as (
    update ${walked.table.sql} as t set ${rollout.discriminator.sql} = null
    from fence where ${condition} and ${derived}
    returning 1
  ),
  moved as (
    update sti.lane l set position = $7::text::jsonb, passed_rows = l.passed_rows + $8::text::bigint,
      written_rows = l.written_rows + (select count(*) from written), batches = l.batches + 1,
      lease_until = clock_timestamp() + '${LEASE}'::interval
    from fence where l.operation_id = fence.operation_id and l.number = fence.number
    returning 1
  )
  select (select count(*) from written)::int as written, (select count(*) from moved)::int as moved`,
    [...fenceParameters(lane, lane.position, true), JSON.stringify(range.high), String(range.rows), ...values],
    { prepare: true },
  )
  const result = onlyRow(answer)
  if (result.moved !== 1) throw new FenceLost('another agent has taken this lane over')
  return result.written
}
