import type { Sql } from '../database/connect.ts'
import { asciiLiteral } from '../database/sqlLiteral.ts'
import { ShardUnavailableError } from './readShardLayout.ts'

/** A query of the oids of the shards of a table that the node has. The earlier copy of a shard that moved away is none of them. */
export function shardsSql(table: string): string {
  return `select pg_catalog.to_regclass(pg_catalog.shard_name(s.logicalrelid, s.shardid)) from pg_catalog.pg_dist_shard s
    where s.logicalrelid = pg_catalog.to_regclass(${asciiLiteral(table)})::oid and exists (select from pg_catalog.pg_dist_placement p
      where p.shardid = s.shardid and p.groupid = (select groupid from pg_catalog.pg_dist_local_group))`
}

/**
 * Runs a query on every node, the coordinator included, about the shards of a table that the node has, and returns the
 * rows of all nodes, with numbers as JSON has them. `buildSql` gets a query of the oids of the shards.
 * @throws ShardUnavailableError if a node does not answer
 */
export async function queryShards<Row>(
  sql: Sql,
  table: string,
  buildSql: (shards: string) => string,
): Promise<(Row & { readonly node: string })[]> {
  const command = `select coalesce(pg_catalog.json_agg(r), '[]') from (${buildSql(shardsSql(table))}) r`
  const answers = await sql<{ node: string; success: boolean; result: string }[]>`
    select /* sti */ pg_catalog.concat(n.nodename, ':', n.nodeport) as node, r.success, r.result
    from pg_catalog.run_command_on_all_nodes(${command}) r join pg_catalog.pg_dist_node n on n.nodeid = r.nodeid
    order by n.groupid`
  return answers.flatMap(({ node, success, result }) => {
    if (!success) throw new ShardUnavailableError(`Node ${node} does not answer: ${result.trim()}.`)
    return (JSON.parse(result) as Row[]).map((row) => ({ ...row, node }))
  })
}
