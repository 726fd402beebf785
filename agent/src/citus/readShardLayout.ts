import { createHash } from 'node:crypto'
import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'

/** The pages of all shards of a table, laid on top of each other: block n is block n of every shard. */
export interface ShardLayout {
  /** Of the longest shard. */
  readonly blocks: number
  readonly bytes: number
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
  readonly success: boolean
  readonly result: string
}

/** Reads the pages of every shard on its node; null: Citus does not manage the table. */
export async function readShardLayout(sql: Sql, oid: number): Promise<ShardLayout | null> {
  const { managed } = onlyRow(
    await sql<{ managed: boolean }[]>`
      select /* sti */ exists (select from pg_catalog.pg_dist_partition where logicalrelid = ${oid}::oid::regclass) as managed`,
  )
  if (!managed) return null
  const shards = await sql<ShardRow[]>`
    select /* sti */ r.shardid::text as shard, (select min(p.groupid) from pg_catalog.pg_dist_placement p where p.shardid = r.shardid) as "group",
      r.success, r.result
    from pg_catalog.run_command_on_shards(${oid}::oid::regclass, $command$
      select pg_catalog.concat_ws(' ', pg_catalog.pg_relation_size(oid) / pg_catalog.current_setting('block_size')::int,
        pg_catalog.pg_table_size(oid), reltuples::float8, pg_catalog.pg_relation_filenode(oid))
      from pg_catalog.pg_class where oid = '%s'::regclass $command$) as r
    order by r.shardid`
  const hash = createHash('sha256')
  let [blocks, bytes, rows] = [0, 0, 0 as number | null]
  for (const { shard, group, success, result } of shards) {
    const [shardBlocks, shardBytes, shardRows, filenode] = result.split(' ').map(Number)
    if (!success || filenode === undefined || Number.isNaN(filenode))
      throw new ShardUnavailableError(`shard ${shard} cannot be read: ${result}`)
    blocks = Math.max(blocks, shardBlocks!)
    bytes += shardBytes!
    rows = rows === null || (shardRows! < 0 && shardBlocks! > 0) ? null : rows + Math.max(0, shardRows!)
    hash.update(`${shard} ${group} ${filenode};`)
  }
  return { blocks, bytes, rows, fingerprint: hash.digest().readUIntBE(0, 6) }
}
