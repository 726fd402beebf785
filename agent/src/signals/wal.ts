import { poll, type Poll } from './poll.ts'
import type { Probe } from './probe.ts'
import type { Reading } from './reading.ts'

export interface WalOptions {
  readonly probe: Probe
  readonly intervalMs: number
  readonly now: () => number
}

const WINDOW_MS = 5_000

/** Bytes of WAL per second that the whole server has written, over the last 5 seconds. */
export function walRate({ probe, intervalMs, now }: WalOptions): Poll<Reading<number>> {
  let positions: readonly { bytes: number; at: number }[] = []
  return poll<Reading<number>>({ intervalMs, now, unknown: (sentence) => ({ unknown: sentence }), refresh })

  async function refresh(): Promise<Reading<number>> {
    const [row] = await probe.ask<{ bytes: number }[]>(
      (sql) => sql`select /* sti */ pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as bytes`,
    )
    // The position is as old as the answer, not as the question.
    const last = { bytes: row!.bytes, at: now() }
    positions = [...positions.filter(({ at }) => last.at - at <= WINDOW_MS), last]
    const first = positions[0]!
    if (last.at <= first.at) return { unknown: 'the first interval is not over yet' }
    return { value: Math.max(0, ((last.bytes - first.bytes) * 1000) / (last.at - first.at)), at: last.at }
  }
}
