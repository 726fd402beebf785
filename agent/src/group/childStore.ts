import type { RolloutStage } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { parseTableName, type QualifiedName } from '../rollout/identifiers.ts'
import type { Rollout } from '../rollout/rollout.ts'

/** What the last operation of a group did in one table. */
export type ChildState = 'waiting' | 'running' | 'paused' | 'succeeded' | 'failed' | 'cancelled'

/** One row of sti.child. */
export interface ChildRow {
  readonly rollout: string
  readonly schema_name: string
  readonly table_sql: string
  readonly stage: RolloutStage
  readonly group_operation: bigint | null
  readonly operation_id: bigint | null
  readonly state: ChildState
  readonly error: string | null
  readonly seconds: number | null
  readonly changed_at: Date
}

/**
 * Gives every table to an operation of the group: those that it has not begun wait. A table that was dropped has no row
 * any more. Returns the rows by the name of the child.
 */
export async function assignChildren(
  sql: Sql,
  group: string,
  operation: bigint,
  children: readonly Rollout[],
): Promise<Map<string, ChildRow>> {
  const tables = children.map(({ name, table }) => ({ name, schema: table.schema, table: table.sql }))
  const rows = await sql<ChildRow[]>`
    with listed as (
      select * from jsonb_to_recordset(${sql.json(tables)}) as t (name text, schema text, "table" text)
    ), removed as (
      delete from sti.child c where c.group_name = ${group} and to_regclass(c.table_sql) is null
        and not exists (select from listed l where l.name = c.rollout)
    )
    insert into sti.child as c (rollout, group_name, schema_name, table_sql, group_operation)
    select name, ${group}, schema, "table", ${operation}::bigint from listed
    on conflict (rollout) do update set
      state = case when c.group_operation = excluded.group_operation then c.state else 'waiting' end,
      operation_id = case when c.group_operation = excluded.group_operation then c.operation_id end,
      error = case when c.group_operation = excluded.group_operation then c.error end,
      seconds = case when c.group_operation = excluded.group_operation then c.seconds end,
      group_name = excluded.group_name, table_sql = excluded.table_sql, group_operation = excluded.group_operation
    returning c.*`
  return new Map(rows.map((row) => [row.rollout, row]))
}

export interface ChildOutcome {
  readonly state: ChildState
  readonly stage: RolloutStage
  readonly operation: bigint | null
  readonly error: string | null
  readonly seconds: number | null
}

export async function saveChild(sql: Sql, rollout: string, { stage, state, ...rest }: ChildOutcome): Promise<void> {
  await sql`
    update sti.child set stage = ${stage}, state = ${state}, operation_id = ${rest.operation}, error = ${rest.error},
      seconds = ${rest.seconds}, changed_at = clock_timestamp()
    where rollout = ${rollout}`
}

/** The tables that operations of this group have touched and that still exist, whatever its file names now. */
export async function readTouchedTables(sql: Sql, group: string): Promise<QualifiedName[]> {
  const rows = await sql<{ table_sql: string }[]>`
    select table_sql from sti.child where group_name = ${group} and to_regclass(table_sql) is not null order by rollout`
  return rows.map((row) => parseTableName(row.table_sql))
}

/** The number of tables of a group, by state and by stage. */
export async function countChildren(
  sql: Sql,
  group: string,
): Promise<{ total: number; states: Record<string, number>; stages: Record<string, number> }> {
  const rows = await sql<{ state: ChildState; stage: RolloutStage; count: number }[]>`
    select state, stage, count(*)::int as count from sti.child where group_name = ${group} group by 1, 2`
  const sumBy = (key: 'state' | 'stage'): Record<string, number> => {
    const sums: Record<string, number> = {}
    for (const row of rows) sums[row[key]] = (sums[row[key]] ?? 0) + row.count
    return sums
  }
  return { total: rows.reduce((sum, row) => sum + row.count, 0), states: sumBy('state'), stages: sumBy('stage') }
}

/** The tables of a group, failed ones first, then the slowest. */
export async function listChildren(sql: Sql, group: string, limit: number): Promise<ChildRow[]> {
  return await sql<ChildRow[]>`
    select * from sti.child where group_name = ${group}
    order by array_position('{failed,paused,running,waiting,cancelled,succeeded}'::text[], state), seconds desc nulls last, rollout
    limit ${limit}`
}
