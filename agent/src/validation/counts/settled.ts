import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../../database/connect.ts'
import { compareCounters, readCounters, type Compared, type Counters } from './counters.ts'

/** A session's counts arrive a second after a transaction of it ended, or when it has been idle for 10 s. */
const QUIET_SECONDS = 12
/** One that has begun another transaction at once has them still: so long it is waited for. */
const LONGEST_SECONDS = 60
const SECOND_MS = 1_000

export interface Settled {
  readonly compared: Compared
  /** Who may not have told its counts yet, also after the wait; null: all are in. */
  readonly open: string | null
}

/** Compares with the counters as they are, again and again until `enough`, or until all that has happened is counted. */
export async function settledCounters(
  state: Sql,
  then: Counters,
  enough: (now: Extract<Compared, { comparable: true }>) => boolean,
  signal: AbortSignal,
): Promise<Settled> {
  const [began] = await state<{ now: Date }[]>`select clock_timestamp() as now`
  for (let second = 0; ; second++) {
    const compared = compareCounters(then, await readCounters(state, then.oid))
    if (!compared.comparable || enough(compared)) return { compared, open: null }
    if (second >= QUIET_SECONDS) {
      const open = await openSince(state, began!.now)
      if (open === null || second >= LONGEST_SECONDS) return { compared, open }
    }
    await delay(SECOND_MS, null, { signal })
  }
}

async function openSince(state: Sql, instant: Date): Promise<string | null> {
  const [row] = await state<{ text: string }[]>`
    select format('pid %s (%s, since %s)', pid, usename, to_char(xact_start at time zone 'UTC', 'HH24:MI:SS')) as text
    from pg_stat_activity where datname = current_database() and backend_type = 'client backend' and pid <> pg_backend_pid()
      and xact_start < ${instant}::timestamptz order by xact_start limit 1`
  return row?.text ?? null
}
