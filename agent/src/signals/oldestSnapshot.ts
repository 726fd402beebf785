import { createPoll, type Poll } from './poll.ts'
import { requireMonitorPrivilege } from './monitorPrivilege.ts'
import type { Reading } from './reading.ts'
import type { ServerQuery } from './serverQuery.ts'

/** The holder of the oldest snapshot or transaction ID that keeps dead row versions of this database from being removed. */
export interface OldestSnapshot {
  /** How long it has been held; 0 if nobody holds one. */
  readonly seconds: number
  /** Null: nobody, a prepared transaction, or an inactive replication slot. */
  readonly pid: number | null
  /** A description, such as `pid 12 (report, idle in transaction)`; null: nobody. */
  readonly holder: string | null
}

export interface OldestSnapshotOptions {
  readonly server: ServerQuery
  readonly intervalMs: number
  readonly now: () => number
}

interface SnapshotHolder {
  readonly kind: 'session' | 'replica' | 'prepared' | 'slot'
  readonly pid: number | null
  readonly name: string
  readonly state: string | null
  readonly xmin: string
  /** Null for a replica and a slot: PostgreSQL does not report since when they hold it. */
  readonly seconds: number | null
}

/**
 * The removal horizon of VACUUM and pruning, as far as others hold it: sessions of this database except VACUUM, which
 * PostgreSQL also ignores, prepared transactions, and the xmin that replicas report (hot_standby_feedback). The
 * catalog_xmin of a slot holds back only catalog rows.
 */
export function pollOldestSnapshot({ server, intervalMs, now }: OldestSnapshotOptions): Poll<Reading<OldestSnapshot>> {
  let lastFeedback: { readonly key: string; readonly since: number } | undefined
  return createPoll<Reading<OldestSnapshot>>({
    intervalMs,
    now,
    unknown: (sentence) => ({ unknown: sentence }),
    refresh,
  })

  async function refresh(): Promise<Reading<OldestSnapshot>> {
    const at = now()
    const row = await server.read<{ monitors: boolean; role: string; holder: SnapshotHolder | null }>(
      (isOwnSession) => `
      with /* sti */ holder as (
        select case when backend_type = 'walsender' then 'replica' else 'session' end as kind, pid,
          coalesce(nullif(application_name, ''), usename, backend_type) as name, coalesce(state, backend_type) as state,
          case when age(backend_xid) > coalesce(age(backend_xmin), -1) then backend_xid else backend_xmin end as xmin,
          case when backend_type <> 'walsender' then extract(epoch from clock_timestamp() - xact_start) end as seconds
        from pg_stat_activity
        where (backend_xmin is not null or backend_xid is not null)
          and (datname = current_database() or backend_type = 'walsender')
          and not ${isOwnSession('application_name')}
          and pid not in (select pid from pg_stat_progress_vacuum)
        union all
        select 'prepared', null, gid, null, transaction, extract(epoch from clock_timestamp() - prepared)
        from pg_prepared_xacts where database = current_database()
        union all
        select 'slot', active_pid, slot_name, null, xmin, null from pg_replication_slots where xmin is not null
      )
      select pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') as monitors, current_user::text as role,
        (select jsonb_build_object('kind', kind, 'pid', pid, 'name', name, 'state', state, 'xmin', xmin::text,
          'seconds', seconds) from holder order by age(xmin) desc, seconds desc nulls last limit 1) as holder`,
    )
    requireMonitorPrivilege(row)
    const holder = row.holder
    if (holder === null) return { value: { seconds: 0, pid: null, holder: null }, at }
    const seconds = holder.seconds ?? observedSeconds(holder, at)
    return { value: { seconds: Math.max(0, seconds), pid: holder.pid, holder: describeHolder(holder) }, at }
  }

  /** How long the agent has seen the same xmin, which is at most as long as it has been held. */
  function observedSeconds({ kind, name, xmin }: SnapshotHolder, at: number): number {
    const key = `${kind} ${name} ${xmin}`
    if (lastFeedback?.key !== key) lastFeedback = { key, since: at }
    return (at - lastFeedback.since) / 1000
  }
}

function describeHolder({ kind, pid, name, state }: SnapshotHolder): string {
  if (kind === 'prepared') return `the prepared transaction ${name}`
  if (kind === 'slot') return `the replication slot ${name}`
  return `pid ${pid} (${name}, ${state})`
}
