import type { Sql } from '../database/connect.ts'
import { onlyRow } from './answer.ts'
import type { Change, Rows } from './change.ts'
import { FAILED_AGAIN } from './failedRow.ts'
import { keyAsJson, type Key } from './keys.ts'
import { LINE, WIDE_LINE } from './blocks.ts'
import { FENCE, FENCE_PARAMETERS, FenceLost, fenceParameters, LEASE, type Lane, type Striped } from './lane.ts'

export const FIRST_PARAMETER = FENCE_PARAMETERS + 6

export interface Batch {
  /** The leaf partition or the table, and its oid when its HOT updates are to be counted. */
  readonly relation: { readonly sql: string; readonly oid?: number }
  readonly rows: Rows
  /** Of those, only the ones up to this line pointer are written; failed rows are looked for in all. */
  readonly upToLine?: number
  /** Both bytes of line pointers are compared, and not the low one alone. */
  readonly wideLines?: boolean
  /**
   * Where the lane stands afterwards, what of a range is done then (what this batch writes is added to it), and how many
   * rows it has passed by this batch.
   */
  readonly nextPosition: Key | null
  readonly striped?: Striped | null
  readonly passed: number
  /** Whether rows that can be given no value are recorded, and counted as failed rows of the lane. */
  readonly records: 'no' | 'uncounted' | 'counted'
  readonly flush: boolean
}

export interface Written {
  readonly written: number
  readonly unmapped: number
  /** This connection's updates of the relation since its statistics were last sent, and how many of them were HOT. */
  readonly updates: number
  readonly hotUpdates: number
}

/**
 * One batch: fence, rows, failed rows that can be given no value, and the checkpoint, in one statement and so in one
 * transaction. Expression and predicate stand in the UPDATE itself, on the target row: when a row changes while the
 * batch waits for it, PostgreSQL computes both again on the new version.
 * @throws FenceLost when somebody else holds the lane; nothing was written then
 */
export async function writeBatch(sql: Sql, change: Change, lane: Lane, batch: Batch): Promise<Written> {
  const answer = await sql.unsafe<(Written & { moved: number })[]>(
    batchStatement(change, batch),
    batchParameters(change, lane, batch),
    { prepare: true },
  )
  const result = onlyRow(answer)
  if (result.moved !== 1) throw new FenceLost('another agent has taken this lane over')
  return result
}

export function batchStatement(change: Change, batch: Batch): string {
  const { relation, rows } = batch
  return `with ${FENCE},
  written as (
    update ${relation.sql} as t set ${change.column} = ${change.value}
    from fence
    where ${rows.condition}${upToLine(batch)} and ${change.needed}
    returning 1
  ),
  unmapped as (${batch.records !== 'no' && change.unmapped !== null ? recordUnmapped(change, change.unmapped, batch) : 'select 1 where false'}),
  moved as (
    update sti.lane l set
      position = $7::text::jsonb,
      striped = $8::text::jsonb || jsonb_build_object('written', ($8::text::jsonb->>'written')::bigint + (select count(*) from written)),
      passed_rows = l.passed_rows + $9::text::bigint,
      written_rows = l.written_rows + (select count(*) from written),
      failed_rows = l.failed_rows + ${batch.records === 'counted' ? '(select count(*) from unmapped)' : '0'},
      batches = l.batches + 1,
      lease_until = clock_timestamp() + '${LEASE}'::interval
    from fence where l.operation_id = fence.operation_id and l.number = fence.number
    returning 1
  )
  select /* sti */ (select count(*) from written)::int as written, (select count(*) from unmapped)::int as unmapped,
    (select count(*) from moved)::int as moved, $10::text as rollout,
    pg_stat_get_xact_tuples_updated($11::text::oid)::int as updates,
    pg_stat_get_xact_tuples_hot_updated($11::text::oid)::int as "hotUpdates"`
}

/** A parameter, so that all stripes share one prepared statement; int from the start, since a cast would run for each row. */
function upToLine({ upToLine, wideLines, rows }: Batch): string {
  if (upToLine === undefined) return ''
  const line = wideLines ? WIDE_LINE : LINE
  return ` and ${line} <= $${FIRST_PARAMETER + rows.values.length}::int4`
}

export function batchParameters(change: Change, lane: Lane, batch: Batch): (string | null)[] {
  const { nextPosition, striped, passed, flush, relation, rows, upToLine } = batch
  return [
    ...fenceParameters(lane, lane.position, flush),
    nextPosition === null ? null : JSON.stringify(nextPosition),
    striped ? JSON.stringify(striped) : null,
    String(passed),
    change.rollout,
    String(relation.oid ?? 0),
    ...rows.values,
    ...(upToLine === undefined ? [] : [String(upToLine)]),
  ]
}

function recordUnmapped(change: Change, unmapped: string, { relation, rows }: Batch): string {
  return `insert into sti.failed_row as f (rollout, key, sqlstate, message, operation_id)
    select $10::text, ${keyAsJson(change.key, 't')}, 'unmapped', 'no type of the rollout file matches this row', fence.operation_id
    from ${relation.sql} as t, fence
    where ${rows.condition} and ${unmapped}
    ${FAILED_AGAIN}
    returning 1`
}
