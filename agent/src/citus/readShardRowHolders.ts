import type { Sql } from '../database/connect.ts'
import type { LockHolder } from '../database/lockHolders.ts'

interface FoundHolder extends Omit<LockHolder, 'node'> {
  /** The session that Citus opened it for; null: a session of the node itself, or a prepared transaction. */
  readonly session: string | null
}

/**
 * Who has locked or changed a row in a range of pages of any shard, without waiting behind it: a row names the last
 * transaction that did so in `xmax`, and pg_locks the session of a transaction that is still open. Several transactions
 * that share the lock of a row are not found. A session of the application is named as the application sees it, not as
 * Citus opens it on a node.
 */
export async function readShardRowHolders(sql: Sql, table: string, low: string, high: string): Promise<LockHolder[]> {
  const answers = await sql<{ node: string; success: boolean; result: string }[]>`
    with /* sti */ node as materialized (
      select n.nodename as host, n.nodeport as port, string_agg(format(
        'select xmax from %s where ctid >= %L and ctid < %L and xmax <> ''0''', shard_name(s.logicalrelid, s.shardid),
        ${low}::text, ${high}::text), ' union all ') as rows
      from pg_dist_shard s join pg_dist_placement p on p.shardid = s.shardid
        join pg_dist_node n on n.groupid = p.groupid and n.noderole = 'primary'
      where s.logicalrelid = to_regclass(${table})::oid
      group by n.nodename, n.nodeport
    )
    select concat(r.node_name, ':', r.node_port) as node, r.success, r.result
    from (select array_agg(host) as hosts, array_agg(port) as ports, array_agg(replace(${HOLDERS_SQL}, '{rows}', rows)) as commands
      from node) asked, master_run_on_worker(asked.hosts, asked.ports, asked.commands, true) r`
  const holders = answers.flatMap(({ node, success, result }) =>
    success ? (JSON.parse(result) as FoundHolder[]).map((holder) => ({ ...holder, node })) : [],
  )
  const sessions = await readSessions(
    sql,
    holders.flatMap(({ session }) => session ?? []),
  )
  return [
    ...sessions,
    ...holders.filter(({ session }) => session === null).map(({ session: _, ...holder }): LockHolder => holder),
  ]
}

const HOLDERS_SQL = `
  with held as materialized (select distinct xmax from ({rows}) locked)
  select coalesce(json_agg(h), '[]') from (
    select a.pid, null as "preparedName", a.usename::text as "user", nullif(a.application_name, '') as application,
      coalesce(a.backend_type, 'unknown') as "backendType", a.state,
      extract(epoch from clock_timestamp() - a.xact_start)::float8 as seconds, nullif(left(a.query, 1000), '') as query,
      substring(a.application_name, 'gpid=([0-9]+)$') as session
    from held join pg_locks l on l.locktype = 'transactionid' and l.granted and l.transactionid = held.xmax
      join pg_stat_activity a on a.pid = l.pid
    union all
    select null, p.gid, p.owner::text, null, 'prepared transaction', null,
      extract(epoch from clock_timestamp() - p.prepared)::float8, null, null
    from held join pg_prepared_xacts p on p.transaction = held.xmax) h`

/** The sessions of these global process identifiers, on the nodes where the application opened them. */
async function readSessions(sql: Sql, identifiers: readonly string[]): Promise<LockHolder[]> {
  if (identifiers.length === 0) return []
  return await sql<LockHolder[]>`
    select /* sti */ a.pid, case when n.groupid <> 0 then concat(n.nodename, ':', n.nodeport) end as node,
      null as "preparedName", a.usename::text as user, nullif(a.application_name, '') as application,
      coalesce(a.backend_type, 'unknown') as "backendType", a.state,
      extract(epoch from clock_timestamp() - a.xact_start)::float8 as seconds, nullif(left(a.query, 1000), '') as query
    from citus_stat_activity a left join pg_dist_node n on n.nodeid = a.nodeid
    where ${sql.json(identifiers)}::jsonb ? a.global_pid::text and not a.is_worker_query`
}
