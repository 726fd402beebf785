import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../../database/connect.ts'
import { compareCounters, readCounters, type CounterDelta, type TableCounters } from './tableCounters.ts'

/** A session reports its counters one second after a transaction ends, or after 10 s of idling. */
const STATISTICS_FLUSH_SECONDS = 12
/** A session that immediately starts another transaction reports later, so it has a longer limit. */
const MAX_WAIT_SECONDS = 60
const POLL_INTERVAL_MS = 1_000

export interface SettledCounters {
  readonly delta: CounterDelta
  /** A transaction whose counters may still be missing after the wait; null: none. */
  readonly openTransaction: string | null
}

/** Compares the counters repeatedly until `isSufficient`, or until every session has reported. */
export async function awaitSettledCounters(
  state: Sql,
  then: TableCounters,
  isSufficient: (now: Extract<CounterDelta, { comparable: true }>) => boolean,
  signal: AbortSignal,
): Promise<SettledCounters> {
  const [start] = await state<{ now: Date }[]>`select clock_timestamp() as now`
  for (let second = 0; ; second++) {
    const delta = compareCounters(then, await readCounters(state, then.oid))
    if (!delta.comparable || isSufficient(delta)) return { delta, openTransaction: null }
    if (second >= STATISTICS_FLUSH_SECONDS) {
      const openTransaction = await findOpenTransaction(state, start!.now)
      if (openTransaction === null || second >= MAX_WAIT_SECONDS) return { delta, openTransaction }
    }
    await delay(POLL_INTERVAL_MS, null, { signal })
  }
}

async function findOpenTransaction(state: Sql, instant: Date): Promise<string | null> {
  const [row] = await state<{ text: string }[]>`
    select format('pid %s (%s, since %s)', pid, usename, to_char(xact_start at time zone 'UTC', 'HH24:MI:SS')) as text
    from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
      and xact_start < ${instant}::timestamptz order by xact_start limit 1`
  return row?.text ?? null
}
