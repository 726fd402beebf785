import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'
import type { ColumnUpdate, RowCondition } from './columnUpdate.ts'
import { ON_REPEATED_FAILURE } from './failedRow.ts'
import { keyAsJson, type Key } from './keys.ts'
import { LINE_POINTER_LOW_BYTE, LINE_POINTER } from './ctid.ts'
import { runShardBatch } from './shardBatch.ts'
import { FENCE_CTE, FENCE_PARAMETER_COUNT, fenceParameters, LANE_LEASE, type Lane, type RangeState } from './lane.ts'
import { FenceLostError } from '../kind/operationErrors.ts'

export const BATCH_ROWS_FIRST_PARAMETER = FENCE_PARAMETER_COUNT + 6
const LISTED_HELD_KEYS = 3

export interface Batch {
  /** The leaf partition or the table. With an `oid`, its HOT updates are counted. */
  readonly relation: { readonly sql: string; readonly oid?: number }
  readonly rows: RowCondition
  /** Only rows up to this line pointer are written; unmapped rows are recorded in all of `rows`. */
  readonly maxLinePointer?: number | undefined
  /** Compares both bytes of line pointers instead of the low byte alone. */
  readonly twoByteLinePointers?: boolean
  /** The checkpoint: the lane's position after the batch. */
  readonly nextPosition: Key | null
  /** The checkpoint of a range that is not complete; the statement adds the rows of this batch to `written`. */
  readonly rangeState?: RangeState | null
  /** Rows that the lane passes for good with this batch. */
  readonly passedRows: number
  /** How rows without a value are recorded as failed rows; `counted` adds them to the failed rows of the lane. */
  readonly unmappedRecording: 'no' | 'uncounted' | 'counted'
  /** Writes only the rows that no other transaction has locked, and reports the others as held. */
  readonly skipLocked?: boolean
  /** Commits with synchronous_commit = on. */
  readonly flush: boolean
}

export interface BatchResult {
  readonly written: number
  readonly unmapped: number
  /** Rows that another transaction has locked: they were not written and not passed. Always 0 without `skipLocked`. */
  readonly held: number
  /** Primary keys of the first held rows. */
  readonly heldKeys: readonly Key[]
  /** Updates of the relation by this connection since it last reported its statistics, and the HOT ones of them. */
  readonly updates: number
  readonly hotUpdates: number
}

/**
 * Writes one batch: fence, rows, unmapped rows, and checkpoint in one statement, and so in one transaction. The UPDATE
 * evaluates expression and predicate on its target row: if a row changes while the batch waits for its lock, PostgreSQL
 * evaluates both again on the new version.
 *
 * With `skipLocked`, the rows are locked first, and the UPDATE joins the locked ones. A row that was changed since the
 * snapshot of the statement is locked at a position that the UPDATE cannot see; it counts as held and is read again.
 * @throws FenceLostError if another agent holds the lane; nothing was written
 */
export async function writeBatch(sql: Sql, columnUpdate: ColumnUpdate, lane: Lane, batch: Batch): Promise<BatchResult> {
  if (columnUpdate.inShards !== null) {
    return await runShardBatch<BatchResult>(sql, lane, {
      rows: shardRowsStatement(columnUpdate, batch),
      checkpoint: shardCheckpointStatement,
      values: batchParameters(columnUpdate, lane, batch),
      flush: batch.flush,
      lockTimeoutMs: columnUpdate.inShards.lockTimeoutMs(),
    })
  }
  const rows = await sql.unsafe<(BatchResult & { moved: number })[]>(
    batchStatement(columnUpdate, batch),
    batchParameters(columnUpdate, lane, batch),
    { prepare: true },
  )
  const result = onlyRow(rows)
  if (result.moved !== 1) throw new FenceLostError('another agent has taken this lane over')
  return result
}

export function batchStatement(columnUpdate: ColumnUpdate, batch: Batch): string {
  const { relation, skipLocked = false } = batch
  const rowsToWrite = `${batch.rows.condition}${maxLinePointer(batch)} and ${columnUpdate.needsUpdate}`
  return `with ${FENCE_CTE},${skipLocked ? skipLockedCtes(columnUpdate, relation.sql, rowsToWrite) : ''}
  written as (
    update ${relation.sql} as t set ${columnUpdate.column} = ${columnUpdate.value}
    from fence${skipLocked ? ', free' : ''}
    where ${rowsToWrite}${skipLocked ? ' and t.tableoid = free.relation and t.ctid = free.place' : ''}
    returning 1
  ),
  unmapped as (${batch.unmappedRecording !== 'no' && columnUpdate.unmapped !== null ? recordUnmappedSql(columnUpdate, columnUpdate.unmapped, batch) : 'select 1 where false'}),
  moved as (
    update sti.lane l set ${checkpointSql({
      writtenRows: '(select count(*) from written)',
      failedRows: batch.unmappedRecording === 'counted' ? '(select count(*) from unmapped)' : '0',
      heldRows: skipLocked && batch.passedRows > 0 ? ' - (select rows from held)' : '',
    })}
    from fence where l.operation_id = fence.operation_id and l.number = fence.number
    returning 1
  )
  select /* sti */ (select count(*) from written)::int as written, (select count(*) from unmapped)::int as unmapped,
    (select count(*) from moved)::int as moved, $10::text as rollout,
    ${skipLocked ? '(select rows from held)::int as held, (select keys from held) as "heldKeys"' : `0 as held, '[]'::jsonb as "heldKeys"`},
    pg_stat_get_xact_tuples_updated($11::text::oid)::int as updates,
    pg_stat_get_xact_tuples_hot_updated($11::text::oid)::int as "hotUpdates"`
}

/** What writes the rows of the batch on all shards at once. */
function shardRowsStatement(columnUpdate: ColumnUpdate, batch: Batch): string {
  return `update ${batch.relation.sql} as t set ${columnUpdate.column} = ${columnUpdate.value}
    where ${batch.rows.condition}${maxLinePointer(batch)} and ${columnUpdate.needsUpdate}`
}

/**
 * The checkpoint of a batch in shards, whose rows a statement before it has written and counted (shardBatch.ts). Held rows
 * are not skipped, and nobody counts HOT updates: the counters are those of other nodes.
 */
function shardCheckpointStatement(writtenRows: string): string {
  return `update sti.lane l set ${checkpointSql({ writtenRows, failedRows: '0' })}
    where l.operation_id = $1::text::bigint and l.number = $2::text::int
    returning ${writtenRows}::int as written, 0 as unmapped, 0 as held, '[]'::jsonb as "heldKeys", 0 as updates, 0 as "hotUpdates"`
}

/** What a batch sets in its lane. `writtenRows`, `failedRows`, and `heldRows` are SQL. */
const checkpointSql = ({ writtenRows, failedRows, heldRows = '' }: CheckpointCounts): string => `
      position = $7::text::jsonb,
      range_state = $8::text::jsonb || jsonb_build_object('written', ($8::text::jsonb->>'written')::bigint + ${writtenRows}),
      passed_rows = l.passed_rows + $9::text::bigint${heldRows},
      written_rows = l.written_rows + ${writtenRows},
      failed_rows = l.failed_rows + ${failedRows},
      batches = l.batches + 1,
      lease_until = clock_timestamp() + '${LANE_LEASE}'::interval`

interface CheckpointCounts {
  readonly writtenRows: string
  readonly failedRows: string
  readonly heldRows?: string
}

/** A key column does not change, so rows that only a foreign key check has locked (FOR KEY SHARE) are free. */
function skipLockedCtes({ key }: ColumnUpdate, relation: string, rowsToWrite: string): string {
  return `
  free as materialized (
    select t.tableoid as relation, t.ctid as place from ${relation} as t, fence
    where ${rowsToWrite} for no key update of t skip locked
  ),
  held as materialized (
    select count(*) as rows, coalesce((jsonb_agg(h.key) filter (where h.n <= ${LISTED_HELD_KEYS})), '[]') as keys
    from (select ${keyAsJson(key, 't')} as key, row_number() over () as n from ${relation} as t
      where ${rowsToWrite}
        and not exists (select from free where free.relation = t.tableoid and free.place = t.ctid)) as h
  ),`
}

/** A parameter, so that all stripes share one prepared statement, and an int, since a cast would run for each row. */
function maxLinePointer({ maxLinePointer, twoByteLinePointers, rows }: Batch): string {
  if (maxLinePointer === undefined) return ''
  const linePointer = twoByteLinePointers ? LINE_POINTER : LINE_POINTER_LOW_BYTE
  return ` and ${linePointer} <= $${BATCH_ROWS_FIRST_PARAMETER + rows.values.length}::int4`
}

export function batchParameters(columnUpdate: ColumnUpdate, lane: Lane, batch: Batch): (string | null)[] {
  const { nextPosition, rangeState, passedRows, flush, relation, rows, maxLinePointer } = batch
  return [
    ...fenceParameters(lane, lane.position, flush),
    nextPosition === null ? null : JSON.stringify(nextPosition),
    rangeState ? JSON.stringify(rangeState) : null,
    String(passedRows),
    columnUpdate.rollout,
    String(relation.oid ?? 0),
    ...rows.values,
    ...(maxLinePointer === undefined ? [] : [String(maxLinePointer)]),
  ]
}

function recordUnmappedSql(columnUpdate: ColumnUpdate, unmappedCondition: string, { relation, rows }: Batch): string {
  return `insert into sti.failed_row as f (rollout, key, sqlstate, message, operation_id)
    select $10::text, ${keyAsJson(columnUpdate.key, 't')}, 'unmapped', 'no type of the rollout file matches this row', fence.operation_id
    from ${relation.sql} as t, fence
    where ${rows.condition} and ${unmappedCondition}
    ${ON_REPEATED_FAILURE}
    returning 1`
}
