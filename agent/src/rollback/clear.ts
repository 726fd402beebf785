import type { Lane } from '../engine/lane.ts'
import { FENCE, FENCE_PARAMETERS, FenceLost, fenceParameters, LEASE } from '../engine/lane.ts'
import type { Sql } from '../database/connect.ts'
import { createFeedback } from '../engine/feedback.ts'
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
 * wrote since stays. In batches with the backfill's fence and checkpoint. False when it was asked to stop.
 */
export async function clearColumn(job: ClearJob): Promise<boolean> {
  let lane = job.lane
  return await walk({
    ...{ sql: job.sql, walked: job.walked, from: lane.position, to: null, goOn: job.goOn, retried: job.retried },
    feedback: createFeedback(1_000, 20_000, 0.1),
    async work(range) {
      const started = performance.now()
      const rows = await clearBatch(job, lane, range)
      lane = { ...lane, position: range.high }
      job.cleared(rows, range.rows, (performance.now() - started) / 1000)
    },
    async poison({ range, message }) {
      throw new Error(`row ${range.high.join(', ')} cannot be cleared: ${message}`)
    },
  })
}

async function clearBatch({ sql, rollout, walked }: ClearJob, lane: Lane, range: Range): Promise<number> {
  const type = `t.${rollout.discriminator.sql}`
  const { condition, values } = inRange(walked, range, FENCE_PARAMETERS + 3)
  const [result] = await sql.unsafe<{ written: number; moved: number }[]>(
    `with ${FENCE},
  written as (
    update ${walked.table.sql} as t set ${rollout.discriminator.sql} = null
    from fence where ${condition} and ${type} is not null and ${type} is not distinct from ${rollout.derive('t')}
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
  if (result?.moved !== 1) throw new FenceLost('another agent has taken this lane over')
  return result.written
}
