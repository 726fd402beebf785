import type { Sql } from '../database/connect.ts'
import { blockStart } from './ctid.ts'
import type { LeafPartition } from './leafPartitions.ts'

/** Enough of them that workers end at about the same time, whatever their number; few enough to be looked at. */
const ROWS_PER_LANE = 100_000
const MAX_LANES = 1_024

/**
 * Cuts leaf partitions into lanes of about the same number of pages, once for an operation; a partition that came since
 * gets lanes of its own. Answers how many were added.
 */
export async function createLanes(sql: Sql, operationId: bigint, leaves: readonly LeafPartition[]): Promise<number> {
  const totalBlocks = leaves.reduce((sum, leaf) => sum + leaf.blocks, 0)
  const lanes = leaves.flatMap((leaf) => {
    const blocks = Math.max(...[1, Math.ceil(ROWS_PER_LANE / leaf.rowsPerBlock), Math.ceil(totalBlocks / MAX_LANES)])
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

/** Takes all lanes from whoever held them, since the operation has a new holder; or those of one agent alone. */
export async function revokeLaneClaims(sql: Sql, operationId: bigint, agent?: string): Promise<void> {
  await sql`update sti.lane set claim = null, agent = null, lease_until = null
    where operation_id = ${operationId} and relation is not null and not finished and claim is not null
      ${agent === undefined ? sql`` : sql`and agent = ${agent}`}`
}

/** Whether lanes are left: other agents write them, or have left them behind. */
export async function hasUnfinishedLanes(sql: Sql, operationId: bigint): Promise<boolean> {
  const [row] = await sql<{ left: boolean }[]>`select exists (select from sti.lane
    where operation_id = ${operationId} and relation is not null and not finished) as left`
  return row!.left
}

export interface LaneTotals {
  readonly passed: number
  readonly written: number
  readonly failed: number
  readonly batches: number
}

export async function readLaneTotals(sql: Sql, operationId: bigint): Promise<LaneTotals> {
  const [totals] = await sql<LaneTotals[]>`
    select coalesce(sum(passed_rows + coalesce((striped->>'written')::bigint, 0)), 0)::float8 as passed, coalesce(sum(written_rows), 0)::float8 as written,
      coalesce(sum(failed_rows), 0)::float8 as failed, coalesce(sum(batches), 0)::float8 as batches
    from sti.lane where operation_id = ${operationId}`
  return totals!
}
