import type { Sql } from '../../database/connect.ts'
import { onlyRow } from '../../database/onlyRow.ts'
import { FENCE_CTE, FENCE_PARAMETER_COUNT, fenceParameters, LANE_LEASE, type Lane } from '../../engine/lane.ts'
import { rangeCondition, type KeyRange, type KeyedTable } from '../../engine/keyRange.ts'
import type { Rollout } from '../../rollout/rollout.ts'
import { archiveTable, valuesDiffer, columnList, keysMatch, type ArchiveLayout } from './archiveSql.ts'
import { FenceLostError } from '../../kind/operationErrors.ts'

export interface ArchiveContext {
  readonly rollout: Rollout
  readonly walked: KeyedTable
  readonly layout: ArchiveLayout
}

/**
 * Copies one batch: fence, rows, copies, and checkpoint in one statement. The statement waits for a row that another
 * session is writing and reads its new version. A row that the triggers have already archived is left as they wrote
 * it.
 * @throws FenceLostError if another agent holds the lane; nothing is written then
 */
export async function copyRange(
  sql: Sql,
  { rollout, walked, layout }: ArchiveContext,
  lane: Lane,
  range: KeyRange,
  flush: boolean,
): Promise<number> {
  const rows = rangeCondition(walked, range, FENCE_PARAMETER_COUNT + 2)
  const answer = await sql.unsafe<{ kept: number; moved: number }[]>(
    `with ${FENCE_CTE},
     rows as materialized (
       select ${columnList(layout, 't')} from ${walked.table.sql} as t where ${rows.condition} for share of t
     ),
     kept as (
       insert into ${archiveTable(rollout).sql} (${columnList(layout, null)}) select rows.* from rows, fence on conflict do nothing returning 1
     ),
     moved as (
       update sti.lane l set position = $7::text::jsonb, passed_rows = l.passed_rows + (select count(*) from rows),
         written_rows = l.written_rows + (select count(*) from kept), batches = l.batches + 1,
         lease_until = clock_timestamp() + '${LANE_LEASE}'::interval
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
  { rollout, walked, layout }: ArchiveContext,
  lane: Lane,
  rows: { readonly condition: string; readonly values: readonly string[] },
): Promise<void> {
  const archive = archiveTable(rollout).sql
  const key = layout.key.map((column) => column.sql).join(', ')
  const set = layout.legacy.map((column) => `${column.sql} = excluded.${column.sql}`).join(', ')
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
       on conflict (${key}) do update set ${set} where ${valuesDiffer(layout, 'a', 'excluded')} returning 1
     )
     select /* sti */ (select count(*) from fence)::int as fenced, (select count(*) from gone)::int as gone, (select count(*) from kept)::int as kept`,
    [...fenceParameters(lane, lane.position, true), ...rows.values],
  )
  if (onlyRow(answer).fenced !== 1) throw new FenceLostError('another agent has taken over this archive')
}

/** The number of the first parameter in the condition passed to `repairRange`. */
export const REPAIR_FIRST_PARAMETER = FENCE_PARAMETER_COUNT + 1
