import type { Sql } from '../database/connect.ts'
import type { Key } from './keys.ts'

/** A row of `sti.lane`. Only the holder of its epoch and claim may move it. */
export interface Lane {
  readonly operation_id: bigint
  readonly number: number
  /** OID of its leaf partition; null for the operation's own lane. */
  readonly relation: number | null
  readonly low: Key | null
  readonly high: Key | null
  readonly position: Key | null
  readonly range_state: RangeState | null
  readonly passed_rows: bigint
  readonly written_rows: bigint
  readonly failed_rows: bigint
  readonly batches: bigint
  readonly finished: boolean
  readonly claim: string
  readonly epoch: bigint
}

/** The plan of a range from the lane's position to `high`, and how much of it is committed. */
export interface RangeState {
  readonly high: Key
  /** The last line pointer of each stripe. */
  readonly stripes: readonly number[]
  /** Parts of each stripe. */
  readonly parts: number
  /** Committed batches, out of stripes x parts. */
  readonly done: number
  /** Rows of the range when it was planned, and the rows of them that are written. */
  readonly rows: number
  readonly written: number
  /** Maximum rows per batch. */
  readonly most: number
  /** File of the relation that the stripes were planned for. */
  readonly filenode: number
}

export const LANE_LEASE = '15 seconds'
/** The operation's own lane fences everything that is written outside of lanes. */
const OPERATION_LANE_NUMBER = 0

/** Takes over the operation's own lane: its previous holder can no longer write. */
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
 * Claims a free lane; null if there is none or the operation is not running. A lane of this agent is held however long its
 * worker waits; a lane of another agent is free once its lease expires. The statement locks the operation's row, so that
 * no lane is claimed after the operation has moved to another state (see transition).
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

/** Releases a lane. Does nothing if another agent has taken it over. */
export async function releaseLane(sql: Sql, lane: Lane, finished: boolean): Promise<void> {
  await sql`update sti.lane set finished = ${finished}, claim = null, agent = null, lease_until = null
    where operation_id = ${lane.operation_id} and number = ${lane.number}
      and epoch = ${lane.epoch} and claim = ${lane.claim}`
}

/**
 * The fence of a batch, as a CTE that its UPDATE must join. It locks the lane's row and returns it only if epoch, claim,
 * and position are those of the writer. After a failover an epoch can repeat; the random claim cannot.
 * Parameters $1 to $5: operation, lane, epoch, claim, position; $6: synchronous_commit of the transaction.
 */
export const LANE_FENCE_CONDITION = `l.operation_id = $1::text::bigint and l.number = $2::text::int and l.epoch = $3::text::bigint
      and l.claim = $4::text::uuid and l.position is not distinct from $5::text::jsonb`
export const FENCE_CTE = `fence as materialized (
    select l.operation_id, l.number, set_config('synchronous_commit', $6::text, true) as synchronous_commit
    from sti.lane l
    where ${LANE_FENCE_CONDITION}
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
