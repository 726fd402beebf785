import type { Sql } from '../database/connect.ts'

/** One session in words: pid, user, state, age of its transaction, and whether it protects the cluster. */
const SESSION_DESCRIPTION = `format('pid %s (%s, %s, transaction %s old%s)', a.pid, coalesce(a.usename, a.backend_type),
    coalesce(a.state, a.backend_type),
    coalesce(date_trunc('second', clock_timestamp() - a.xact_start)::text, 'of unknown age'),
    case when a.query ~ 'to prevent wraparound' then ', an autovacuum against wraparound: let it finish' else '' end)`

/** Who stands in the way on a table or one of its partitions, the oldest transaction first; at most three. */
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
  return rows.length === 0 ? 'somebody who has just gone' : rows.map((row) => row.text).join(' and ')
}

/** Whom a session waits for; empty while it waits for nobody. */
export async function describeBlockers(sql: Sql, pid: number): Promise<string> {
  const rows = await sql.unsafe<{ text: string }[]>(
    `select ${SESSION_DESCRIPTION} as text from pg_stat_activity a where a.pid = any (pg_blocking_pids($1::text::int))
     order by a.xact_start nulls last`,
    [String(pid)],
  )
  return rows.map((row) => row.text).join(' and ')
}
