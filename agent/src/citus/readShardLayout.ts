import { createHash } from 'node:crypto'
import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'

/** The pages of all shards of a table, laid on top of each other: block n is block n of every shard. */
export interface ShardLayout {
  /** Of the longest shard. */
  readonly blocks: number
  readonly bytes: number
  /** Nodes that have a shard. */
  readonly nodes: number
  /** Null: a shard was never analyzed. */
  readonly rows: number | null
  /** Changes if a shard is moved, split, or rewritten, since that gives its rows new places. */
  readonly fingerprint: number
}

/** A shard cannot be read. Its node may be back in a moment: the code is that of a lost connection. */
export class ShardUnavailableError extends Error {
  readonly code = '08006'
}

interface ShardRow {
  readonly shard: string
  readonly group: number
  /** `host:port` */
  readonly node: string
  readonly success: boolean
  /** What its node reports of it; null: it does not have it. */
  readonly result: string | null
}

/**
 * Reads all shards with one connection to each node. Citus' function for a command on every shard opens one for each shard,
 * which costs more than a hundred milliseconds of processor time for 16 shards.
 */
async function readShards(sql: Sql, oid: number): Promise<ShardRow[]> {
  return await sql<ShardRow[]>`
    with /* sti */ placement as materialized (
      select s.shardid, min(p.groupid) as groupid, pg_catalog.shard_name(s.logicalrelid, s.shardid) as name
      from pg_catalog.pg_dist_shard s join pg_catalog.pg_dist_placement p on p.shardid = s.shardid
      where s.logicalrelid = ${oid}::oid::regclass group by s.logicalrelid, s.shardid
    ), answer as materialized (
      select n.groupid, r.success, r.result
      from (select pg_catalog.format($command$
          select pg_catalog.jsonb_object_agg(s.name, pg_catalog.concat_ws(' ',
            pg_catalog.pg_relation_size(c.oid) / pg_catalog.current_setting('block_size')::int,
            pg_catalog.pg_table_size(c.oid), c.reltuples::float8, pg_catalog.pg_relation_filenode(c.oid)))
          from pg_catalog.unnest(%L::text[]) as s (name) join pg_catalog.pg_class c on c.oid = pg_catalog.to_regclass(s.name)
          $command$, array_agg(p.name)) as command from placement p) as asked,
        pg_catalog.run_command_on_all_nodes(asked.command) as r
        join pg_catalog.pg_dist_node n on n.nodeid = r.nodeid
    )
    select p.shardid::text as shard, p.groupid as "group", (select pg_catalog.concat(n.nodename, ':', n.nodeport)
        from pg_catalog.pg_dist_node n where n.groupid = p.groupid and n.noderole = 'primary') as node, coalesce(a.success, false) as success,
      case when a.success then a.result::jsonb ->> p.name else a.result end as result
    from placement p left join answer a on a.groupid = p.groupid
    order by p.shardid`
}

/** Reads the pages of every shard on its node; null: Citus does not manage the table. */
export async function readShardLayout(sql: Sql, oid: number): Promise<ShardLayout | null> {
  const { managed } = onlyRow(
    await sql<{ managed: boolean }[]>`
      select /* sti */ exists (select from pg_catalog.pg_dist_partition where logicalrelid = ${oid}::oid::regclass) as managed`,
  )
  if (!managed) return null
  const shards = await readShards(sql, oid)
  const hash = createHash('sha256')
  const nodes = new Set(shards.map(({ group }) => group)).size
  let [blocks, bytes, rows] = [0, 0, 0 as number | null]
  for (const { shard, group, node, success, result } of shards) {
    const [shardBlocks, shardBytes, shardRows, filenode] = (result ?? '').split(' ').map(Number)
    if (!success || filenode === undefined || Number.isNaN(filenode))
      throw new ShardUnavailableError(
        success
          ? `Shard ${shard} cannot be read: node ${node} does not have it.`
          : `Shard ${shard} cannot be read, since node ${node} does not answer: ${(result ?? 'it was not asked').trim()}.`,
      )
    blocks = Math.max(blocks, shardBlocks!)
    bytes += shardBytes!
    rows = rows === null || (shardRows! < 0 && shardBlocks! > 0) ? null : rows + Math.max(0, shardRows!)
    hash.update(`${shard} ${group} ${filenode};`)
  }
  return { blocks, bytes, nodes, rows, fingerprint: hash.digest().readUIntBE(0, 6) }
}
