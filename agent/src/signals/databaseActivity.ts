import { createPoll, type Poll } from './poll.ts'
import { missingPrivilegeText } from './monitorPrivilege.ts'
import { ratio } from './ratio.ts'
import { isKnown, type Reading } from './reading.ts'
import type { ServerQuery } from './serverQuery.ts'

export interface DatabaseActivity {
  /** Client backends of the whole server, by state. */
  readonly connections: Reading<Readonly<Record<string, number>>>
  readonly connectionsLimit: Reading<number>
  /** Seconds that the longest waiting session of this database has waited for a lock; 0 if none waits. */
  readonly lockWaitSeconds: Reading<number>
  readonly lockWaiters: Reading<number>
  /** Blocks found in shared buffers / blocks requested in this database, since the previous reading. */
  readonly bufferHitRatio: Reading<number>
  readonly oldestTransaction: Reading<OldestTransaction>
}

export interface DatabaseReadings extends DatabaseActivity {
  /** Mean execution time of the statements that ended since the previous reading. */
  readonly querySeconds: Reading<number>
}

/** The oldest transaction of this database, except those of STI and autovacuum; pid is null for none and for a prepared transaction. */
export interface OldestTransaction {
  readonly seconds: number
  readonly pid: number | null
}

export interface DatabaseActivityOptions {
  readonly server: ServerQuery
  readonly intervalMs: number
  readonly now: () => number
}

interface ActivityRow {
  monitors: boolean
  role: string
  states: Record<string, number>
  limit: number
  waiters: number
  waitSeconds: number
  oldest: OldestTransaction
  hit: number
  read: number
}

const NO_SESSIONS = { active: 0, idle: 0, 'idle in transaction': 0, 'idle in transaction (aborted)': 0 }

export function pollDatabaseActivity({ server, intervalMs, now }: DatabaseActivityOptions): Poll<DatabaseActivity> {
  let previous: { hit: number; read: number } | undefined
  return createPoll<DatabaseActivity>({ intervalMs, now, unknown: unknownActivity, refresh })

  async function refresh(): Promise<DatabaseActivity> {
    const at = now()
    const row = await server.read<ActivityRow>(
      (isOwnSession) => `
      select /* sti */
        pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') as monitors,
        current_user::text as role,
        (select coalesce(jsonb_object_agg(state, sessions), '{}') from (
          select coalesce(state, 'unknown') as state, count(*) as sessions from pg_stat_activity
          where backend_type = 'client backend' group by 1) s) as states,
        current_setting('max_connections')::int4 as limit,
        (select jsonb_build_object('seconds', seconds, 'pid', pid) from (
          select 0 as seconds, null::int4 as pid
          union all
          select extract(epoch from clock_timestamp() - xact_start), pid from pg_stat_activity
          where datname = current_database() and xact_start is not null and backend_type <> 'autovacuum worker'
            and not ${isOwnSession('application_name')}
          union all
          select extract(epoch from clock_timestamp() - prepared), null from pg_prepared_xacts
          where database = current_database()
          order by seconds desc limit 1) o) as oldest,
        w.waiters, w.seconds as "waitSeconds", d.hit, d.read
      from
        (select count(distinct l.pid)::int4 as waiters,
          greatest(0, coalesce(extract(epoch from clock_timestamp() - min(l.waitstart)), 0))::float8 as seconds
        from pg_locks l join pg_stat_activity a on a.pid = l.pid and a.datname = current_database()
        where not l.granted) w,
        (select blks_hit::float8 as hit, blks_read::float8 as read from pg_stat_database
        where datname = current_database()) d`,
    )
    const hitRatio = bufferHitRatio(previous, row)
    previous = { hit: row.hit, read: row.read }
    const missingPrivilege = row.monitors ? undefined : { unknown: missingPrivilegeText(row.role) }
    return {
      connections: missingPrivilege ?? { value: { ...NO_SESSIONS, ...row.states }, at },
      connectionsLimit: { value: row.limit, at },
      lockWaitSeconds: { value: row.waitSeconds, at },
      lockWaiters: { value: row.waiters, at },
      bufferHitRatio: hitRatio === null ? { unknown: 'no block has been requested yet' } : { value: hitRatio, at },
      oldestTransaction: missingPrivilege ?? { value: row.oldest, at },
    }
  }
}

/** Over the last interval; over all time for the first reading, after a reset, and while no block is read. */
function bufferHitRatio(
  previous: { hit: number; read: number } | undefined,
  { hit, read }: ActivityRow,
): number | null {
  const hits = previous ? hit - previous.hit : 0
  const reads = previous ? read - previous.read : 0
  if (hits >= 0 && reads >= 0 && hits + reads > 0) return ratio(hits, hits + reads)
  return hit + read > 0 ? ratio(hit, hit + read) : null
}

/** Client connections of the server / max_connections. */
export function connectionRatio({ connections, connectionsLimit }: DatabaseActivity): Reading<number> {
  if (!isKnown(connections)) return connections
  if (!isKnown(connectionsLimit)) return connectionsLimit
  const used = Object.values(connections.value).reduce((sum, sessions) => sum + sessions, 0)
  return { value: ratio(used, connectionsLimit.value), at: connections.at }
}

function unknownActivity(sentence: string): DatabaseActivity {
  const unknownReading = { unknown: sentence }
  return {
    connections: unknownReading,
    connectionsLimit: unknownReading,
    lockWaitSeconds: unknownReading,
    lockWaiters: unknownReading,
    bufferHitRatio: unknownReading,
    oldestTransaction: unknownReading,
  }
}
