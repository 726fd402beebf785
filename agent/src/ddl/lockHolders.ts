import type { Sql } from '../database/connect.ts'

/** Describes a session: pid, user, state, transaction age, and whether it is an autovacuum to prevent wraparound. */
const SESSION_DESCRIPTION = `format('pid %s (%s, %s, transaction %s old%s)', a.pid, coalesce(a.usename, a.backend_type),
    coalesce(a.state, a.backend_type),
    coalesce(date_trunc('second', clock_timestamp() - a.xact_start)::text, 'of unknown age'),
    case when a.query ~ 'to prevent wraparound' then ', an autovacuum to prevent wraparound: let it finish' else '' end)`

/** Describes at most three sessions with locks on a table or its partitions, oldest transaction first. */
export async function describeLockHolders(sql: Sql, table: string): Promise<string> {
  const rows = await sql.unsafe<{ text: string }[]>(
    `select ${SESSION_DESCRIPTION} as text from pg_stat_activity a
     where a.pid <> pg_backend_pid() and a.pid in (
       select l.pid from pg_locks l
       where l.granted and l.locktype in ('relation', 'tuple') and l.mode <> 'SIReadLock'
         and l.database = (select oid from pg_database where datname = current_database())
         and (l.relation = to_regclass($1::text)
           or l.relation in (select relid from pg_partition_tree(to_regclass($1::text)))))
     order by a.xact_start nulls last limit 3`,
    [table],
  )
  return rows.length === 0 ? 'a session that has just ended' : rows.map((row) => row.text).join(' and ')
}

/** Describes the sessions that block a session; empty if none do. */
export async function describeBlockers(sql: Sql, pid: number): Promise<string> {
  const rows = await sql.unsafe<{ text: string }[]>(
    `select ${SESSION_DESCRIPTION} as text from pg_stat_activity a where a.pid = any (pg_blocking_pids($1::text::int))
     order by a.xact_start nulls last`,
    [String(pid)],
  )
  return rows.map((row) => row.text).join(' and ')
}
