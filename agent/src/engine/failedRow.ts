import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'
import type { ColumnUpdate, RowCondition } from './columnUpdate.ts'
import { compareKeys, keyAsJson, keyColumns, keyParameters, type Key } from './keys.ts'
import { FENCE_CTE, FENCE_PARAMETER_COUNT, fenceParameters, LANE_LEASE, type Lane } from './lane.ts'
import type { KeyRange, KeyedTable } from './keyRange.ts'
import { FenceLostError, OperationPausedError } from '../kind/operationErrors.ts'

export interface FailedRowRecord {
  readonly relation: string
  /** Condition of the row; its parameters start at FAILED_ROW_FIRST_PARAMETER. A deleted row is not recorded. */
  readonly rowCondition: RowCondition
  readonly sqlstate: string
  readonly message: string
  /** The lane's position after the record. */
  readonly nextPosition: Key | null
  /** 1: the lane passes the row. */
  readonly passedRows: 0 | 1
}

export const FAILED_ROW_FIRST_PARAMETER = FENCE_PARAMETER_COUNT + 6

/** Decides if a row that failed alone in `range` counts as a failed row. */
export type FailedRowPredicate = (sql: Sql, target: KeyedTable, range: KeyRange) => Promise<boolean>

/**
 * Condition of the row to record; false if the row does not count. It is the last row of the range: others may have been
 * inserted before it since it was alone.
 */
export async function failedRowCondition(
  sql: Sql,
  target: KeyedTable,
  range: KeyRange,
  countsAsFailedRow?: FailedRowPredicate,
): Promise<RowCondition> {
  if (countsAsFailedRow !== undefined && !(await countsAsFailedRow(sql, target, range)))
    return { condition: 'false', values: [] }
  return {
    condition: compareKeys(
      target.key,
      '=',
      keyColumns(target.key, 't'),
      keyParameters(target.key, FAILED_ROW_FIRST_PARAMETER),
    ),
    values: range.high,
  }
}

/** Updates the record of a row that failed before. An acceptance ends with a recovery. */
export const ON_REPEATED_FAILURE = `on conflict (rollout, key) do update set attempts = f.attempts + 1,
      last_failed_at = clock_timestamp(), sqlstate = excluded.sqlstate, message = excluded.message,
      operation_id = excluded.operation_id, recovered_at = null,
      accepted_by = case when f.recovered_at is null then f.accepted_by end,
      accepted_reason = case when f.recovered_at is null then f.accepted_reason end`

/**
 * Records a row that failed alone and moves the lane past it, in one statement. Returns its key, or null if it was
 * deleted.
 * @throws FenceLostError if another agent holds the lane; nothing was recorded
 */
export async function recordFailedRow(
  sql: Sql,
  columnUpdate: ColumnUpdate,
  lane: Lane,
  failed: FailedRowRecord,
): Promise<Key | null> {
  if (columnUpdate.inShards !== null) {
    throw new OperationPausedError(
      `A row cannot be written: ${failed.message} (${failed.sqlstate}). In shards, one row is not found by its place, so it is not skipped. Correct the row, or the expression, then resume.`,
    )
  }
  const rows = await sql.unsafe<{ moved: number; key: Key | null }[]>(
    `with ${FENCE_CTE},
  failed as (
    insert into sti.failed_row as f (rollout, key, sqlstate, message, operation_id)
    select $9::text, ${keyAsJson(columnUpdate.key, 't')}, $10::text, $11::text, fence.operation_id
    from fence, ${failed.relation} as t where ${failed.rowCondition.condition}
    ${ON_REPEATED_FAILURE}
    returning key
  ),
  moved as (
    update sti.lane l set position = $7::text::jsonb, range_state = null, passed_rows = l.passed_rows + $8::text::bigint,
      failed_rows = l.failed_rows + case when $8::text::bigint > 0 then (select count(*) from failed) else 0 end,
      lease_until = clock_timestamp() + '${LANE_LEASE}'::interval
    from fence where l.operation_id = fence.operation_id and l.number = fence.number
    returning 1
  )
  select (select count(*) from moved)::int as moved, (select key from failed) as key`,
    [
      ...fenceParameters(lane, lane.position, true),
      failed.nextPosition === null ? null : JSON.stringify(failed.nextPosition),
      String(failed.passedRows),
      columnUpdate.rollout,
      failed.sqlstate,
      failed.message.slice(0, 500),
      ...failed.rowCondition.values,
    ],
  )
  const result = onlyRow(rows)
  if (result.moved !== 1) throw new FenceLostError('another agent has taken this lane over')
  return result.key
}
