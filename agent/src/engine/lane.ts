import type { Sql } from '../database/connect.ts'
import type { Key } from './keys.ts'

/** A range of the key space with its own position and counters. Whoever holds epoch and claim may move it. */
export interface Lane {
  readonly operation_id: bigint
  readonly number: number
  readonly low: Key | null
  readonly high: Key | null
  readonly position: Key | null
  readonly passed_rows: bigint
  readonly written_rows: bigint
  readonly failed_rows: bigint
  readonly batches: bigint
  readonly finished: boolean
  readonly claim: string
  readonly epoch: bigint
}

export const LEASE = '15 seconds'

/** Makes the operation's only lane if there is none, and takes it over: whoever held it before writes nothing any more. */
export async function takeLane(sql: Sql, operationId: bigint, number: number, agent: string): Promise<Lane> {
  const [lane] = await sql<Lane[]>`
    insert into sti.lane (operation_id, number, agent, claim, epoch, lease_until)
    values (${operationId}, ${number}, ${agent}, gen_random_uuid(), 1, clock_timestamp() + ${LEASE}::interval)
    on conflict (operation_id, number) do update set agent = excluded.agent, claim = excluded.claim,
      epoch = lane.epoch + 1, lease_until = excluded.lease_until
    returning *`
  return lane!
}

/**
 * The fence of a batch, as a CTE that its UPDATE must join: it locks the lane's row and returns it only while epoch,
 * claim and position are the holder's. An epoch can come again after a failover, so the random claim stands beside it.
 * Parameters $1 to $5: operation, lane, epoch, claim, position; $6: synchronous_commit for this transaction.
 */
export const FENCE = `fence as materialized (
    select l.operation_id, l.number, set_config('synchronous_commit', $6::text, true) as synchronous_commit
    from sti.lane l
    where l.operation_id = $1::text::bigint and l.number = $2::text::int and l.epoch = $3::text::bigint
      and l.claim = $4::text::uuid and l.position is not distinct from $5::text::jsonb
    for update
  )`
export const FENCE_PARAMETERS = 6

export function fenceParameters(lane: Lane, position: Key | null, flush: boolean): (string | null)[] {
  return [
    String(lane.operation_id),
    String(lane.number),
    String(lane.epoch),
    lane.claim,
    position === null ? null : JSON.stringify(position),
    flush ? 'on' : 'off',
  ]
}

/** The fence matched nothing: another holder has taken the lane over. Nothing was written. */
export class FenceLost extends Error {
  readonly code = 'fence-lost'
}
