import { listFailedRows } from '../backfill/failedRows.ts'
import type { EvidenceReport } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'

const MAX_LISTED_ROWS = 100

/** How many rows failed and what became of them, and the first that are not right. */
export async function readFailedRowSummary(sql: Sql, rollout: string): Promise<EvidenceReport['failedRows']> {
  const [counts] = await sql<{ open: number; accepted: number; recovered: number }[]>`
    select count(*) filter (where recovered_at is null and accepted_by is null)::int as open,
      count(*) filter (where recovered_at is null and accepted_by is not null)::int as accepted,
      count(*) filter (where recovered_at is not null)::int as recovered
    from sti.failed_row where rollout = ${rollout}`
  return { ...counts!, rows: await listFailedRows(sql, rollout, MAX_LISTED_ROWS) }
}
