import type { Sql } from '../../database/connect.ts'
import type { TableCounters } from './tableCounters.ts'

/** Rows at a validation, with what PostgreSQL had counted when its reading began. */
export interface RowCount {
  readonly validation: number
  readonly at: string
  readonly rows: number
  readonly counters: TableCounters
  readonly checksum: string
  /** Rows whose type was not what legacy columns say: the checksum covers that too. */
  readonly wrong: number
  /** What the checksum was made by: file and major version. */
  readonly hashedBy: string
}

/** Of the newest validation that has read the table, or null. */
export async function readRowCount(state: Sql, rollout: string): Promise<RowCount | null> {
  const [row] = await state<{ counted: Omit<RowCount, 'validation' | 'at'>; id: bigint; ended_at: Date }[]>`
    select r.counted, v.id, v.ended_at from sti.row_count r join sti.validation v on v.id = r.validation_id
    where r.rollout = ${rollout} order by r.validation_id desc limit 1`
  return row ? { ...row.counted, validation: Number(row.id), at: row.ended_at.toISOString() } : null
}

export async function saveRowCount(
  state: Sql,
  rollout: string,
  validation: number,
  counted: Omit<RowCount, 'validation' | 'at'>,
): Promise<void> {
  await state`insert into sti.row_count (validation_id, rollout, counted)
    values (${validation}, ${rollout}, ${state.json(counted as never)}) on conflict do nothing`
}

/** Hashes are compared only where the same expression made them, in the same major version. */
export async function readHashVersion(state: Sql, fileHash: string): Promise<string> {
  const [row] = await state<{ version: number }[]>`
    select current_setting('server_version_num')::int / 10000 as version`
  return `${fileHash} ${row!.version}`
}
