import type { Sql } from '../database/connect.ts'
import { onlyRow } from './answer.ts'
import type { Key } from './keys.ts'
import { FENCE, FenceLost, fenceParameters, LEASE, type Lane } from './lane.ts'

export interface FailedRowRecord {
  readonly key: Key
  readonly sqlstate: string
  readonly message: string
  readonly position: Key | null
  /** Where the lane stands afterwards, and whether it has passed this row by that. */
  readonly nextPosition: Key | null
  readonly passed: 0 | 1
}

/** What a failure does to a row that is recorded already: an acceptance does not outlive a recovery. */
export const FAILED_AGAIN = `on conflict (rollout, key) do update set attempts = f.attempts + 1,
      last_failed_at = clock_timestamp(), sqlstate = excluded.sqlstate, message = excluded.message,
      operation_id = excluded.operation_id, recovered_at = null,
      accepted_by = case when f.recovered_at is null then f.accepted_by end,
      accepted_reason = case when f.recovered_at is null then f.accepted_reason end`

/**
 * Records a row that failed alone and moves the lane past it, in one statement.
 * @throws FenceLost when somebody else holds the lane; nothing was recorded then
 */
export async function recordFailedRow(sql: Sql, rollout: string, lane: Lane, row: FailedRowRecord): Promise<void> {
  const answer = await sql.unsafe<{ moved: number }[]>(
    `with ${FENCE},
  failed as (
    insert into sti.failed_row as f (rollout, key, sqlstate, message, operation_id)
    select $9::text, $10::text::jsonb, $11::text, $12::text, fence.operation_id from fence
    ${FAILED_AGAIN}
    returning 1
  ),
  moved as (
    update sti.lane l set position = $7::text::jsonb, passed_rows = l.passed_rows + $8::text::bigint,
      failed_rows = l.failed_rows + $8::text::bigint, lease_until = clock_timestamp() + '${LEASE}'::interval
    from fence where l.operation_id = fence.operation_id and l.number = fence.number
    returning 1
  )
  select (select count(*) from moved)::int as moved`,
    [
      ...fenceParameters(lane, row.position, true),
      row.nextPosition === null ? null : JSON.stringify(row.nextPosition),
      String(row.passed),
      rollout,
      JSON.stringify(row.key),
      row.sqlstate,
      row.message.slice(0, 500),
    ],
  )
  if (onlyRow(answer).moved !== 1) throw new FenceLost('another agent has taken this lane over')
}
