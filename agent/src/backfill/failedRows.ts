import type { FailedRow } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { compareKeys, keyColumns, keyParameters, type Key } from '../engine/keys.ts'
import type { KeyColumn, Rollout } from '../rollout/rollout.ts'

interface StoredFailedRow {
  readonly key: Key
  readonly sqlstate: string
  readonly message: string
  readonly attempts: number
  readonly first_failed_at: Date
  readonly last_failed_at: Date
  readonly accepted_by: string | null
  readonly accepted_reason: string | null
}

/** Failed rows that have not recovered, oldest failure first. */
export async function listFailedRows(sql: Sql, rollout: string, limit = 1000): Promise<FailedRow[]> {
  const rows = await sql<StoredFailedRow[]>`
    select key, sqlstate, message, attempts, first_failed_at, last_failed_at, accepted_by, accepted_reason
    from sti.failed_row where rollout = ${rollout} and recovered_at is null order by first_failed_at, key limit ${limit}`
  return rows.map((row) => ({
    key: [...row.key],
    sqlstate: row.sqlstate,
    message: row.message,
    attempts: row.attempts,
    firstFailedAt: row.first_failed_at.toISOString(),
    lastFailedAt: row.last_failed_at.toISOString(),
    accepted: row.accepted_by === null ? null : `${row.accepted_by}: ${row.accepted_reason ?? ''}`,
  }))
}

/** Keys of all failed rows that have not recovered, oldest failure first. */
export async function listFailedRowKeys(sql: Sql, rollout: string): Promise<Key[]> {
  const rows = await sql<{ key: Key }[]>`
    select key from sti.failed_row where rollout = ${rollout} and recovered_at is null order by first_failed_at, key`
  return rows.map((row) => row.key)
}

export async function countFailedRows(sql: Sql, rollout: string): Promise<number> {
  const [row] = await sql<{ rows: number }[]>`
    select count(*)::int as rows from sti.failed_row where rollout = ${rollout} and recovered_at is null`
  return row!.rows
}

/** Records that an admin accepts these rows without a correct type. Returns how many of them were failed rows. */
export async function acceptFailedRows(
  sql: Sql,
  rollout: string,
  keys: readonly Key[],
  acceptedBy: string,
  reason: string,
): Promise<number> {
  const rows = await sql`
    update sti.failed_row set accepted_by = ${acceptedBy}, accepted_reason = ${reason}
    where rollout = ${rollout} and recovered_at is null
      and key in (select value from jsonb_array_elements(${sql.json(keys)}::jsonb))
    returning 1`
  return rows.length
}

/** Marks a failed row as recovered if it now holds the derived type or was deleted. Returns if it did. */
export async function markFailedRowRecovered(
  sql: Sql,
  rollout: Rollout,
  columns: readonly KeyColumn[],
  key: Key,
): Promise<boolean> {
  const firstParameter = 3
  const rows = await sql.unsafe(
    `update sti.failed_row set recovered_at = clock_timestamp()
     where rollout = $1::text and key = $2::text::jsonb and recovered_at is null and not exists (
       select from ${rollout.table.sql} as t where ${compareKeys(columns, '=', keyColumns(columns, 't'), keyParameters(columns, firstParameter))}
         and (t.${rollout.discriminator.sql} is distinct from ${rollout.derive('t')} or ${rollout.derive('t')} is null))
     returning 1`,
    [rollout.name, JSON.stringify(key), ...key],
  )
  return rows.length === 1
}
