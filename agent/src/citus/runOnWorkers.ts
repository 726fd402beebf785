import type { Sql } from '../database/connect.ts'

/** What one node returned. */
export interface WorkerResult {
  /** `host:port`, as the coordinator has it. */
  readonly node: string
  /** False: the command failed there, or the node did not answer; `result` says why. */
  readonly success: boolean
  readonly result: string | null
}

/**
 * Runs one command on every node but the coordinator, or on these, each with a connection of its own and outside of this
 * transaction. Names in it need their schema: the sessions there have the search path of the role.
 */
export async function runOnWorkers(sql: Sql, command: string, only?: readonly string[]): Promise<WorkerResult[]> {
  if (only?.length === 0) return []
  return await sql<WorkerResult[]>`
    with /* sti */ worker as materialized (
      select nodename, nodeport from pg_catalog.pg_dist_node
      where noderole = 'primary' and groupid <> 0 and isactive
        and (${only === undefined} or ${sql.json(only ?? [])}::jsonb ? pg_catalog.concat(nodename, ':', nodeport))
    ), asked as materialized (
      select pg_catalog.array_agg(nodename) as names, pg_catalog.array_agg(nodeport) as ports,
        pg_catalog.array_agg(${command}::text) as commands
      from worker having pg_catalog.count(*) > 0
    )
    select pg_catalog.concat(r.node_name, ':', r.node_port) as node, r.success, r.result
    from asked, pg_catalog.master_run_on_worker(asked.names, asked.ports, asked.commands, true) r
    order by 1`
}
