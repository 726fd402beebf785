import type { Sql } from '../database/connect.ts'
import type { Key } from './keys.ts'

/** A part of the table with its own position and counters. Whoever holds epoch and claim may move it. */
export interface Lane {
  readonly operation_id: bigint
  readonly number: number
  /** The leaf partition it is a part of; null for the operation's own lane, which is no part of the table. */
  readonly relation: number | null
  readonly low: Key | null
  readonly high: Key | null
  readonly position: Key | null
  readonly striped: RangeState | null
  readonly passed_rows: bigint
  readonly written_rows: bigint
  readonly failed_rows: bigint
  readonly batches: bigint
  readonly finished: boolean
  readonly claim: string
  readonly epoch: bigint
}

/**
 * A range that is written in stripes (stripes.ts), from the lane's position to `high`. Each stripe is written part by
 * part, so that a page rests for some batches between two of its stripes. `done` of the stripes x parts batches are
 * committed.
 */
export interface RangeState {
  readonly high: Key
  /** Up to which line pointer each goes. */
  readonly stripes: readonly number[]
  readonly parts: number
  readonly done: number
  /** Rows of the range when it was begun, and those of them that are written. */
  readonly rows: number
  readonly written: number
  /** Rows that a batch of it has at most. */
  readonly most: number
  /** The relation's file that its stripes were made for. */
  readonly filenode: number
}

export const LANE_LEASE = '15 seconds'
/** The operation's own lane: what is written beside the lanes is fenced by it. */
const OPERATION_LANE_NUMBER = 0

/** Takes the operation's own lane over: whoever held it before writes nothing any more. */
export async function claimOperationLane(sql: Sql, operationId: bigint, agent: string): Promise<Lane> {
  const [lane] = await sql<Lane[]>`
    insert into sti.lane (operation_id, number, agent, claim, epoch, lease_until)
    values (${operationId}, ${OPERATION_LANE_NUMBER}, ${agent}, gen_random_uuid(), 1, clock_timestamp() + ${LANE_LEASE}::interval)
    on conflict (operation_id, number) do update set agent = excluded.agent, claim = excluded.claim,
      epoch = lane.epoch + 1, lease_until = excluded.lease_until
    returning *`
  return lane!
}

/**
 * Claims a lane that nobody holds; null when there is none, or the operation runs no more. A lane of this agent's own is
 * held however long its worker waits; one of another agent until its lease has run out. The operation's row is locked, so
 * that no lane is claimed once it has been moved to another state (see transition).
 */
export async function claimLane(sql: Sql, operationId: bigint, agent: string): Promise<Lane | null> {
  const [lane] = await sql<Lane[]>`
    with running as materialized (
      select id from sti.operation where id = ${operationId} and state = 'running' for share
    ), free as materialized (
      select f.number from sti.lane f, running
      where f.operation_id = running.id and f.relation is not null and not f.finished
        and (f.claim is null or (f.agent <> ${agent} and f.lease_until < clock_timestamp()))
      order by f.number limit 1 for update of f skip locked
    )
    update sti.lane l set agent = ${agent}, claim = gen_random_uuid(), epoch = l.epoch + 1,
      lease_until = clock_timestamp() + ${LANE_LEASE}::interval
    from free where l.operation_id = ${operationId} and l.number = free.number
    returning l.*`
  return lane ?? null
}

/** Gives a lane back, finished or as it stands. Does nothing when somebody else has taken it over. */
export async function releaseLane(sql: Sql, lane: Lane, finished: boolean): Promise<void> {
  await sql`update sti.lane set finished = ${finished}, claim = null, agent = null, lease_until = null
    where operation_id = ${lane.operation_id} and number = ${lane.number}
      and epoch = ${lane.epoch} and claim = ${lane.claim}`
}

/**
 * The fence of a batch, as a CTE that its UPDATE must join: it locks the lane's row and returns it only while epoch,
 * claim and position are the holder's. An epoch can come again after a failover, so the random claim stands beside it.
 * Parameters $1 to $5: operation, lane, epoch, claim, position; $6: synchronous_commit for this transaction.
 */
export const FENCE_CTE = `fence as materialized (
    select l.operation_id, l.number, set_config('synchronous_commit', $6::text, true) as synchronous_commit
    from sti.lane l
    where l.operation_id = $1::text::bigint and l.number = $2::text::int and l.epoch = $3::text::bigint
      and l.claim = $4::text::uuid and l.position is not distinct from $5::text::jsonb
    for update
  )`
export const FENCE_PARAMETER_COUNT = 6

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
