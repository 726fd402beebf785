import { createPoll, type Poll } from './poll.ts'
import { requireMonitorPrivilege } from './monitorPrivilege.ts'
import type { BoundedConnection } from './boundedConnection.ts'
import { SignalUnknownError, type Reading } from './reading.ts'

/** The replica that is furthest behind; with none ever seen, `replicas` is 0. */
export interface ReplicationLag {
  readonly replicas: number
  readonly bytes: number
  /** Null while PostgreSQL does not say: a replica that is behind and has not answered lately. */
  readonly seconds: number | null
}

export interface ReplicationLagOptions {
  readonly connection: BoundedConnection
  readonly intervalMs: number
  readonly now: () => number
}

interface ReplicaRow {
  readonly name: string
  readonly bytes: number | null
  readonly seconds: number | null
}

/**
 * Lag of what pg_stat_replication shows, without base backups and the passing workers of a subscription's first copy.
 * A replica that was seen and is gone makes the lag unknown. It is forgotten when the agent restarts, and only then:
 * nothing on the primary tells a replica that was taken away from one that is broken.
 */
export function pollReplicationLag({
  connection,
  intervalMs,
  now,
}: ReplicationLagOptions): Poll<Reading<ReplicationLag>> {
  /** How many walsenders a name had at most, and when it was last complete. */
  const knownReplicas = new Map<string, { count: number; at: number }>()
  return createPoll<Reading<ReplicationLag>>({
    intervalMs,
    now,
    unknown: (sentence) => ({ unknown: sentence }),
    refresh,
  })

  async function refresh(): Promise<Reading<ReplicationLag>> {
    const at = now()
    const [row] = await connection.query<
      { monitors: boolean; role: string; standby: boolean; replicas: ReplicaRow[] }[]
    >(
      (sql) => sql`
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
    requireMonitorPrivilege(row!)
    if (row!.standby) throw new SignalUnknownError('this is a standby: connect the agent to the primary')
    return computeLag(row!.replicas, at)
  }

  function computeLag(replicas: readonly ReplicaRow[], at: number): Reading<ReplicationLag> {
    const counts = new Map<string, number>()
    for (const { name } of replicas) counts.set(name, (counts.get(name) ?? 0) + 1)
    for (const [name, count] of counts)
      if (count >= (knownReplicas.get(name)?.count ?? 0)) knownReplicas.set(name, { count, at })
    for (const [name, { count, at: last }] of knownReplicas) {
      if ((counts.get(name) ?? 0) >= count) continue
      const ago = Math.round((at - last) / 1000)
      return { unknown: `replica ${name} is gone since ${ago} s: bring it back, or restart the agent to forget it` }
    }
    let bytes = 0
    let seconds: number | null = 0
    for (const replica of replicas) {
      if (replica.bytes === null) return { unknown: `replica ${replica.name} has not said yet how far it is` }
      bytes = Math.max(bytes, replica.bytes)
      // replay_lag is NULL when a replica that caught up is idle.
      const behind: number | null = replica.seconds ?? (replica.bytes <= 0 ? 0 : null)
      seconds = seconds === null || behind === null ? null : Math.max(seconds, behind)
    }
    return { value: { replicas: replicas.length, bytes, seconds }, at }
  }
}
