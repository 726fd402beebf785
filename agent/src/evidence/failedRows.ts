import { listFailedRows } from '../backfill/failedRows.ts'
import type { Report } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'

const SHOWN = 100

/** How many rows failed and what became of them, and the first that are not right. */
export async function readFailedRows(sql: Sql, rollout: string): Promise<Report['failedRows']> {
  const [counts] = await sql<{ open: number; accepted: number; recovered: number }[]>`
    select count(*) filter (where recovered_at is null and accepted_by is null)::int as open,
      count(*) filter (where recovered_at is null and accepted_by is not null)::int as accepted,
      count(*) filter (where recovered_at is not null)::int as recovered
    from sti.failed_row where rollout = ${rollout}`
  return { ...counts!, rows: await listFailedRows(sql, rollout, SHOWN) }
}
