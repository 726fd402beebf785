import type { Sql } from '../database/connect.ts'

/** Readings of the last 10 minutes count as now. */
const MAX_WINDOW_MS = 600_000

/** The time window that is compared with a baseline. */
export interface ComparisonWindow {
  /** Milliseconds since 1970. */
  readonly from: number
  /** The operation that is writing the table now, whose load is part of the readings; null: none. */
  readonly concurrentOperation: string | null
}

/**
 * The last 10 minutes, but nothing before the end of the baseline or of the last operation that wrote the table or
 * changed the flag: the comparison is about the state that this operation left.
 */
export async function readComparisonWindow(
  sql: Sql,
  rollout: string,
  baselineEndedAt: string,
): Promise<ComparisonWindow> {
  const [row] = await sql<{ ended: Date | null; open: string | null }[]>`
    select max(ended_at) as ended,
      min(kind || ' ' || id) filter (where writes_table and started_at is not null and ended_at is null) as open
    from sti.operation where rollout = ${rollout} and (writes_table or kind = 'flag' or parameters->>'scope' = 'flag')`
  const from = Math.max(Date.now() - MAX_WINDOW_MS, row!.ended?.getTime() ?? 0, Date.parse(baselineEndedAt))
  return { from, concurrentOperation: row!.open }
}
