import { createPoll, type Poll } from './poll.ts'
import type { Reading } from './reading.ts'
import type { ServerQuery } from './serverQuery.ts'

export interface WalRateOptions {
  readonly server: ServerQuery
  readonly intervalMs: number
  readonly now: () => number
}

const WINDOW_MS = 5_000

/** Bytes of WAL per second written by the whole server, over the last 5 s. */
export function pollWalRate({ server, intervalMs, now }: WalRateOptions): Poll<Reading<number>> {
  let positions: readonly { bytes: number; at: number }[] = []
  return createPoll<Reading<number>>({ intervalMs, now, unknown: (sentence) => ({ unknown: sentence }), refresh })

  async function refresh(): Promise<Reading<number>> {
    const row = await server.read<{ bytes: number }>(
      () => `select /* sti */ pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::float8 as bytes`,
    )
    // The position is as old as the response, not as the query.
    const latest = { bytes: row.bytes, at: now() }
    positions = [...positions.filter(({ at }) => latest.at - at <= WINDOW_MS), latest]
    const first = positions[0]!
    if (latest.at <= first.at) return { unknown: 'the first interval is not over yet' }
    return { value: Math.max(0, ((latest.bytes - first.bytes) * 1000) / (latest.at - first.at)), at: latest.at }
  }
}
