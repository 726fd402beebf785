import type { Sql } from '../../database/connect.ts'
import type { TableCounters } from './tableCounters.ts'

/** The row count of a validation, with PostgreSQL's counters when its scan started. */
export interface RowCount {
  readonly validation: number
  readonly at: string
  readonly rows: number
  readonly counters: TableCounters
  readonly checksum: string
  /** Rows whose type did not match their legacy columns; the checksum covers them, too. */
  readonly wrong: number
  /** Hash of the derivation and PostgreSQL major version that produced the checksum. */
  readonly hashedBy: string
}

/** The row count of the newest validation that read the table, or null. */
export async function readRowCount(state: Sql, rollout: string): Promise<RowCount | null> {
  const [row] = await state<{ snapshot: Omit<RowCount, 'validation' | 'at'>; id: bigint; ended_at: Date }[]>`
    select r.snapshot, v.id, v.ended_at from sti.row_count r join sti.validation v on v.id = r.validation_id
    where r.rollout = ${rollout} order by r.validation_id desc limit 1`
  return row ? { ...row.snapshot, validation: Number(row.id), at: row.ended_at.toISOString() } : null
}

export async function saveRowCount(
  state: Sql,
  rollout: string,
  validation: number,
  counted: Omit<RowCount, 'validation' | 'at'>,
): Promise<void> {
  await state`insert into sti.row_count (validation_id, rollout, snapshot)
    values (${validation}, ${rollout}, ${state.json(counted as never)}) on conflict do nothing`
}

/** Checksums are comparable only if they come from the same expression in the same major version of PostgreSQL. */
export async function readHashVersion(state: Sql, derivationHash: string): Promise<string> {
  const [row] = await state<{ version: number }[]>`
    select current_setting('server_version_num')::int / 10000 as version`
  return `${derivationHash} ${row!.version}`
}
