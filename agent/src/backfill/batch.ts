import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../engine/answer.ts'
import { FAILED_AGAIN } from '../engine/failedRow.ts'
import { keyAsJson, type Key } from '../engine/keys.ts'
import { FENCE, FENCE_PARAMETERS, FenceLost, fenceParameters, LEASE, type Lane } from '../engine/lane.ts'
import type { Walked } from '../engine/range.ts'
import type { Rollout } from '../rollout/rollout.ts'

export interface Target {
  readonly rollout: Rollout
  readonly walked: Walked
}

/** Which rows, on `t`, with its parameters numbered from FIRST_PARAMETER on. */
export interface Rows {
  readonly condition: string
  readonly values: readonly string[]
}

export const FIRST_PARAMETER = FENCE_PARAMETERS + 4

export interface Batch {
  readonly rows: Rows
  readonly position: Key | null
  /** Where the lane stands afterwards, and how many rows it has passed by this batch. */
  readonly nextPosition: Key | null
  readonly passed: number
  readonly flush: boolean
}

/**
 * One batch: fence, rows, failed rows that no type matches, and the checkpoint, in one statement and so in one
 * transaction. Expression and predicate stand in the UPDATE itself, on the target row: when a row changes while the
 * batch waits for it, PostgreSQL computes both again on the new version.
 * @throws FenceLost when somebody else holds the lane; nothing was written then
 */
export async function writeBatch(
  sql: Sql,
  target: Target,
  lane: Lane,
  batch: Batch,
): Promise<{ written: number; unmapped: number }> {
  const { rollout, walked } = target
  const derived = rollout.derive('t')
  const type = `t.${rollout.discriminator.sql}`
  const answer = await sql.unsafe<{ written: number; unmapped: number; moved: number }[]>(
    `with ${FENCE},
  written as (
    update ${walked.table.sql} as t set ${rollout.discriminator.sql} = ${derived}
    from fence
    where ${batch.rows.condition} and ${type} is distinct from ${derived}
    returning 1
  ),
  unmapped as (${rollout.mayBeUnmapped ? recordUnmapped(target, batch.rows) : 'select 1 where false'}),
  moved as (
    update sti.lane l set
      position = $7::text::jsonb,
      passed_rows = l.passed_rows + $8::text::bigint,
      written_rows = l.written_rows + (select count(*) from written),
      failed_rows = l.failed_rows + case when $8::text::bigint > 0 then (select count(*) from unmapped) else 0 end,
      batches = l.batches + 1,
      lease_until = clock_timestamp() + '${LEASE}'::interval
    from fence where l.operation_id = fence.operation_id and l.number = fence.number
    returning 1
  )
  select (select count(*) from written)::int as written, (select count(*) from unmapped)::int as unmapped,
    (select count(*) from moved)::int as moved, $9::text as rollout`,
    [
      ...fenceParameters(lane, batch.position, batch.flush),
      batch.nextPosition === null ? null : JSON.stringify(batch.nextPosition),
      String(batch.passed),
      rollout.name,
      ...batch.rows.values,
    ],
    { prepare: true },
  )
  const result = onlyRow(answer)
  if (result.moved !== 1) throw new FenceLost('another agent has taken this lane over')
  return result
}

function recordUnmapped({ rollout, walked }: Target, rows: Rows): string {
  return `insert into sti.failed_row as f (rollout, key, sqlstate, message, operation_id)
    select $9::text, ${keyAsJson(walked.key, 't')}, 'unmapped', 'no type of the rollout file matches this row', fence.operation_id
    from ${walked.table.sql} as t, fence
    where ${rows.condition} and ${rollout.derive('t')} is null
    ${FAILED_AGAIN}
    returning 1`
}
