import { createPoll, type Poll } from './poll.ts'
import { formatDuration } from '../format/format.ts'
import { requireMonitorPrivilege } from './monitorPrivilege.ts'
import { SignalUnknownError, type Reading } from './reading.ts'
import type { ServerQuery } from './serverQuery.ts'

/** The replica that is furthest behind; `replicas` is 0 if there has been none. */
export interface ReplicationLag {
  readonly replicas: number
  readonly bytes: number
  /** Null if PostgreSQL does not report it: a replica that is behind and has not answered recently. */
  readonly seconds: number | null
}

export interface ReplicationLagOptions {
  readonly server: ServerQuery
  readonly intervalMs: number
  readonly now: () => number
}

interface ReplicaRow {
  readonly name: string
  readonly bytes: number | null
  readonly seconds: number | null
}

/**
 * The lag of the entries of pg_stat_replication, except base backups and the temporary workers of a subscription's
 * initial copy. A known replica that disconnects makes the lag unknown until the agent restarts: the primary cannot tell
 * a replica that was removed from one that is broken.
 */
export function pollReplicationLag({ server, intervalMs, now }: ReplicationLagOptions): Poll<Reading<ReplicationLag>> {
  /** The highest number of walsenders per name, and when it was last reached. */
  const knownReplicas = new Map<string, { count: number; at: number }>()
  return createPoll<Reading<ReplicationLag>>({
    intervalMs,
    now,
    unknown: (sentence) => ({ unknown: sentence }),
    refresh,
  })

  async function refresh(): Promise<Reading<ReplicationLag>> {
    const at = now()
    const row = await server.read<{ monitors: boolean; role: string; standby: boolean; replicas: ReplicaRow[] }>(
      () => `
      select /* sti */ pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') as monitors, current_user::text as role,
        pg_is_in_recovery() as standby,
        (select coalesce(jsonb_agg(jsonb_build_object(
          'name', application_name || coalesce(' at ' || host(client_addr), ''),
          'bytes', case when not pg_is_in_recovery() then
            pg_wal_lsn_diff(pg_current_wal_lsn(), coalesce(replay_lsn, flush_lsn, write_lsn)) end,
          'seconds', extract(epoch from replay_lag))), '[]')
        from pg_stat_replication
        where state <> 'backup' and application_name !~ '^pg_[0-9]+_sync_[0-9]+_[0-9]+$') as replicas`,
    )
    requireMonitorPrivilege(row)
    if (row.standby) throw new SignalUnknownError('this is a standby: connect the agent to the primary')
    return computeLag(row.replicas, at)
  }

  function computeLag(replicas: readonly ReplicaRow[], at: number): Reading<ReplicationLag> {
    const counts = new Map<string, number>()
    for (const { name } of replicas) counts.set(name, (counts.get(name) ?? 0) + 1)
    for (const [name, count] of counts)
      if (count >= (knownReplicas.get(name)?.count ?? 0)) knownReplicas.set(name, { count, at })
    for (const [name, { count, at: last }] of knownReplicas) {
      if ((counts.get(name) ?? 0) >= count) continue
      const disconnectedSeconds = Math.round((at - last) / 1000)
      return {
        unknown: `replica ${name} has been disconnected for ${formatDuration(disconnectedSeconds)}: reconnect it, or restart the agent to forget it`,
      }
    }
    let bytes = 0
    let seconds: number | null = 0
    for (const replica of replicas) {
      if (replica.bytes === null) return { unknown: `replica ${replica.name} has not reported its position yet` }
      bytes = Math.max(bytes, replica.bytes)
      // replay_lag is NULL for an idle replica that has caught up.
      const behind: number | null = replica.seconds ?? (replica.bytes <= 0 ? 0 : null)
      seconds = seconds === null || behind === null ? null : Math.max(seconds, behind)
    }
    return { value: { replicas: replicas.length, bytes, seconds }, at }
  }
}
