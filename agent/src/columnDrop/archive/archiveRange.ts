import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import { runShardBatch } from '../../engine/shardBatch.ts'
import { FENCE_CTE, FENCE_PARAMETER_COUNT, fenceParameters, LANE_LEASE, type Lane } from '../../engine/lane.ts'
import { rangeCondition, type KeyRange, type KeyedTable } from '../../engine/keyRange.ts'
import type { QualifiedName } from '../../rollout/identifiers.ts'
import { columnList, keysMatch, overwriteArchived, type ArchiveLayout } from './archiveSql.ts'
import { FenceLostError } from '../../kind/operationErrors.ts'

export interface ArchiveContext {
  readonly archive: QualifiedName
  readonly walked: KeyedTable
  readonly layout: ArchiveLayout
  /** The rows and their archive are in shards of Citus. */
  readonly inShards: boolean
}

/** The checkpoint of a batch, whose arguments are SQL: the new position, and how many rows it passed and copied. */
const advanceLane = (position: string, passed: string, copied: string): string =>
  `set position = ${position}::text::jsonb, passed_rows = l.passed_rows + ${passed}, written_rows = l.written_rows + ${copied},
    batches = l.batches + 1, lease_until = clock_timestamp() + '${LANE_LEASE}'::interval`

/**
 * Copies one batch: fence, rows, copies, and checkpoint in one statement. The statement waits for a row that another
 * session is writing and reads its new version. A row that the triggers have already archived is left as they wrote
 * it.
 * @throws FenceLostError if another agent holds the lane; nothing is written then
 */
export async function copyRange(
  sql: Sql,
  context: ArchiveContext,
  lane: Lane,
  range: KeyRange,
  flush: boolean,
): Promise<number> {
  if (context.inShards) return await copyShardRange(sql, context, lane, range, flush)
  const { archive, walked, layout } = context
  const rows = rangeCondition(walked, range, FENCE_PARAMETER_COUNT + 2)
  const answer = await sql.unsafe<{ kept: number; moved: number }[]>(
    `with ${FENCE_CTE},
     rows as materialized (
       select ${columnList(layout, 't')} from ${walked.table.sql} as t where ${rows.condition} for share of t
     ),
     kept as (
       insert into ${archive.sql} (${columnList(layout, null)}) select rows.* from rows, fence on conflict do nothing returning 1
     ),
     moved as (
       update sti.lane l ${advanceLane('$7', '(select count(*) from rows)', '(select count(*) from kept)')}
       from fence where l.operation_id = fence.operation_id and l.number = fence.number returning 1
     )
     select /* sti */ (select count(*) from kept)::int as kept, (select count(*) from moved)::int as moved`,
    [...fenceParameters(lane, lane.position, flush), JSON.stringify(range.high), ...rows.values],
    { prepare: true },
  )
  const { kept: copied, moved } = onlyRow(answer)
  if (moved !== 1) throw new FenceLostError('another agent has taken over this archive')
  return copied
}

/** Makes the archive match the table for the given rows. */
export async function repairRange(
  sql: Sql,
  context: ArchiveContext,
  lane: Lane,
  rows: { readonly condition: string; readonly values: readonly string[] },
): Promise<void> {
  if (context.inShards) return await repairShardRange(sql, context, lane, rows)
  const { walked, layout } = context
  const archive = context.archive.sql
  const answer = await sql.unsafe<{ fenced: number }[]>(
    `with ${FENCE_CTE},
     gone as (
       delete from ${archive} as t using fence where ${rows.condition}
         and not exists (select from ${walked.table.sql} as s where ${keysMatch(layout, 's', 't')}) returning 1
     ),
     rows as materialized (
       select ${columnList(layout, 't')} from ${walked.table.sql} as t where ${rows.condition} for share of t
     ),
     kept as (
       insert into ${archive} as a (${columnList(layout, null)}) select rows.* from rows, fence
       ${overwriteArchived(layout)} returning 1
     )
     select /* sti */ (select count(*) from fence)::int as fenced, (select count(*) from gone)::int as gone, (select count(*) from kept)::int as kept`,
    [...fenceParameters(lane, lane.position, true), ...rows.values],
  )
  if (onlyRow(answer).fenced !== 1) throw new FenceLostError('another agent has taken over this archive')
}

const SHARD_LOCK_TIMEOUT_MS = 1_000

/**
 * The same in shards: the fence, the copies of all nodes and the checkpoint are one transaction. Citus reads no rows of
 * several shards FOR SHARE: a row that is deleted or changed in this moment can leave an outdated copy, which the comparison
 * finds and repairs.
 */
async function copyShardRange(
  sql: Sql,
  { archive, walked, layout }: ArchiveContext,
  lane: Lane,
  range: KeyRange,
  flush: boolean,
): Promise<number> {
  const { condition, values } = rangeCondition(walked, range, 3)
  const { kept } = await runShardBatch<{ kept: number }>(sql, lane, {
    rows: `insert into ${archive.sql} (${columnList(layout, null)})
      select ${columnList(layout, 't')} from ${walked.table.sql} as t where ${condition} on conflict do nothing`,
    checkpoint: (copied) => `update sti.lane l ${advanceLane('$1', '$2::text::bigint', copied)}
      where l.operation_id = ${lane.operation_id} and l.number = ${lane.number} returning ${copied}::int as kept`,
    values: [JSON.stringify(range.high), String(range.rows), ...values],
    flush,
    lockTimeoutMs: SHARD_LOCK_TIMEOUT_MS,
  })
  return kept
}

async function repairShardRange(
  sql: Sql,
  { archive, walked, layout }: ArchiveContext,
  lane: Lane,
  rows: { readonly condition: string; readonly values: readonly string[] },
): Promise<void> {
  await runShardBatch(sql, lane, {
    rows: `delete from ${archive.sql} as t where ${rows.condition}
        and not exists (select from ${walked.table.sql} as s where ${keysMatch(layout, 's', 't')});
      insert into ${archive.sql} as a (${columnList(layout, null)})
        select ${columnList(layout, 't')} from ${walked.table.sql} as t where ${rows.condition} ${overwriteArchived(layout)}`,
    checkpoint: (repaired) => `select ${repaired} as repaired`,
    values: [...Array<null>(FENCE_PARAMETER_COUNT).fill(null), ...rows.values],
    flush: true,
    lockTimeoutMs: SHARD_LOCK_TIMEOUT_MS,
  })
}

/** The number of the first parameter in the condition passed to `repairRange`. */
export const REPAIR_FIRST_PARAMETER = FENCE_PARAMETER_COUNT + 1
