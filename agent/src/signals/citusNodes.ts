import type { BoundedConnection } from './boundedConnection.ts'
import { createPoll, type Poll } from './poll.ts'
import type { Reading } from './reading.ts'
import type { WorkerAddress } from './serverQuery.ts'

export interface CitusNodesOptions {
  readonly connection: BoundedConnection
  /** The table as SQL, with its schema. */
  readonly table: string
  readonly intervalMs: number
  readonly now: () => number
}

/** The workers of Citus that have a shard of a table; empty for a table that Citus does not manage. */
export function pollCitusNodes({
  connection,
  table,
  intervalMs,
  now,
}: CitusNodesOptions): Poll<Reading<readonly WorkerAddress[]>> {
  return createPoll<Reading<readonly WorkerAddress[]>>({
    intervalMs,
    now,
    unknown: (sentence) => ({ unknown: sentence }),
    refresh,
  })

  async function refresh(): Promise<Reading<readonly WorkerAddress[]>> {
    const at = now()
    const [extension] = await connection.query<{ citus: boolean }[]>(
      (sql) => sql`select /* sti */ to_regclass('pg_catalog.pg_dist_placement') is not null as citus`,
    )
    if (!extension!.citus) return { value: [], at }
    const nodes = await connection.query<WorkerAddress[]>(
      (sql) => sql`
      select /* sti */ distinct n.nodename as host, n.nodeport as port
      from pg_catalog.pg_dist_shard s
        join pg_catalog.pg_dist_placement p on p.shardid = s.shardid
        join pg_catalog.pg_dist_node n on n.groupid = p.groupid and n.noderole = 'primary'
      where s.logicalrelid = to_regclass(${table})::oid and p.groupid <> 0
      order by 1, 2`,
    )
    return { value: [...nodes], at }
  }
}
