import { createPoll, type Poll } from './poll.ts'
import { requireMonitorPrivilege } from './monitorPrivilege.ts'
import type { Reading } from './reading.ts'
import type { ServerQuery } from './serverQuery.ts'

/** Sessions that wait for a lock held by STI, and how long the first of them has waited. */
export interface LockWaiters {
  readonly waiters: number
  readonly seconds: number
}

export interface LockWaitersOptions {
  readonly server: ServerQuery
  /** Default: 250. */
  readonly intervalMs?: number
  readonly now: () => number
}

/** Too expensive to read while it is not monitored. */
export function pollLockWaiters({ server, intervalMs = 250, now }: LockWaitersOptions): Poll<Reading<LockWaiters>> {
  return createPoll<Reading<LockWaiters>>({
    intervalMs,
    maximumAgeMs: 6 * intervalMs,
    now,
    unknown: (sentence) => ({ unknown: sentence }),
    refresh,
  })

  async function refresh(): Promise<Reading<LockWaiters>> {
    const at = now()
    // pg_blocking_pids locks the lock manager for a moment, so it is called only for sessions that wait for a lock.
    const row = await server.read<LockWaiters & { monitors: boolean; role: string }>(
      (isOwnSession) => `
      with /* sti */ waiting as materialized (
        select pid, pg_blocking_pids(pid) as blockers from pg_stat_activity
        where wait_event_type = 'Lock' and not ${isOwnSession('application_name')})
      select pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') as monitors, current_user::text as role,
        count(*)::int4 as waiters, greatest(0, coalesce(max((select extract(epoch from clock_timestamp() - min(l.waitstart))
          from pg_locks l where l.pid = w.pid and not l.granted)), 0))::float8 as seconds
      from waiting w
      where exists (select from pg_stat_activity a where a.pid = any (w.blockers) and ${isOwnSession('a.application_name')})`,
    )
    requireMonitorPrivilege(row)
    return { value: { waiters: row.waiters, seconds: row.seconds }, at }
  }
}
