import type { Sql } from '../database/connect.ts'
import { blockStart } from './ctid.ts'
import type { LeafPartition } from './leafPartitions.ts'

/** On each node. Small enough that all workers end at about the same time, large enough that a person can read the list of lanes. */
const ROWS_PER_LANE = 100_000
const MAX_LANES = 1_024

/**
 * Cuts leaf partitions into lanes of about the same number of pages, once per operation. A partition that was attached
 * since gets its own lanes. Returns the number of lanes that were added.
 */
export async function createLanes(sql: Sql, operationId: bigint, leaves: readonly LeafPartition[]): Promise<number> {
  const totalBlocks = leaves.reduce((sum, leaf) => sum + leaf.blocks, 0)
  const lanes = leaves.flatMap((leaf) => {
    const blocks = Math.max(
      ...[1, Math.ceil((ROWS_PER_LANE * leaf.nodes) / leaf.rowsPerBlock), Math.ceil(totalBlocks / MAX_LANES)],
    )
    const parts = Math.max(1, Math.ceil(leaf.blocks / blocks))
    return Array.from({ length: parts }, (_, partIndex) => ({
      relation: leaf.oid,
      low: blockStart(Math.floor((leaf.blocks * partIndex) / parts)),
      high: blockStart(Math.floor((leaf.blocks * (partIndex + 1)) / parts)),
    }))
  })
  const added = await sql`
    insert into sti.lane (operation_id, number, relation, low, high, position)
    select ${operationId}, coalesce((select max(number) from sti.lane where operation_id = ${operationId}), 0) + n,
      (lane->>'relation')::oid, lane->'low', lane->'high', lane->'low'
    from jsonb_array_elements(${sql.json(lanes)}::jsonb) with ordinality as l (lane, n)
    where not exists (select from sti.lane where operation_id = ${operationId} and relation = (lane->>'relation')::oid)
    returning 1`
  return added.length
}

/** Revokes the claims of all agents, or of one agent only. */
export async function revokeLaneClaims(sql: Sql, operationId: bigint, agent?: string): Promise<void> {
  await sql`update sti.lane set claim = null, agent = null, lease_until = null
    where operation_id = ${operationId} and relation is not null and not finished and claim is not null
      ${agent === undefined ? sql`` : sql`and agent = ${agent}`}`
}

/** True if other agents still write lanes or have released some unfinished. */
export async function hasUnfinishedLanes(sql: Sql, operationId: bigint): Promise<boolean> {
  const [row] = await sql<{ unfinished: boolean }[]>`select exists (select from sti.lane
    where operation_id = ${operationId} and relation is not null and not finished) as unfinished`
  return row!.unfinished
}

export interface LaneTotals {
  readonly passed: number
  readonly written: number
  readonly failed: number
  readonly batches: number
}

export async function readLaneTotals(sql: Sql, operationId: bigint): Promise<LaneTotals> {
  const [totals] = await sql<LaneTotals[]>`
    select coalesce(sum(passed_rows + coalesce((range_state->>'written')::bigint, 0)), 0)::float8 as passed, coalesce(sum(written_rows), 0)::float8 as written,
      coalesce(sum(failed_rows), 0)::float8 as failed, coalesce(sum(batches), 0)::float8 as batches
    from sti.lane where operation_id = ${operationId}`
  return totals!
}
