import type { Sql } from '../database/connect.ts'

/** What is now is what was read in the last ten minutes. */
const MAX_WINDOW_MS = 600_000

/** Since when what is now is looked at, in milliseconds since 1970. */
export interface ComparisonWindow {
  readonly from: number
  /** An operation that writes the table runs now: its load is part of what is seen. */
  readonly concurrentOperation: string | null
}

/**
 * The last ten minutes, but nothing from before the baseline ended, or the last operation that wrote the table or
 * changed the flag: what is judged is the state that it left.
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
