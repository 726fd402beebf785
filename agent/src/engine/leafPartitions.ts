import { readShardLayout } from '../citus/readShardLayout.ts'
import type { Sql } from '../database/connect.ts'
import type { QualifiedName } from '../rollout/identifiers.ts'
import { onlyRow } from '../database/onlyRow.ts'
import { errorCode } from '../database/errors.ts'
import type { RunContext } from '../kind/kind.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'

/** A relation that holds rows: a partition without partitions, or the table itself. */
export interface LeafPartition extends QualifiedName {
  readonly oid: number
  readonly blocks: number
  /** Changes with VACUUM FULL, CLUSTER, or a repack, which move every row. */
  readonly filenode: number
  /** From the statistics; a default if the relation was never analyzed. */
  readonly rowsPerBlock: number
  /** Nodes that write their part of a batch at the same time: more than 1 only in shards of Citus. */
  readonly nodes: number
}

/** True if an error was caused by a leaf partition that has been dropped. */
export async function isDroppedPartition(sql: Sql, table: string, oid: number, error: unknown): Promise<boolean> {
  return errorCode(error) === '42P01' && (await readLeafPartitions(sql, table, oid)).length === 0
}

/** A partition that was dropped needs no sweep. `oid` null: the whole table. */
export async function isOfDroppedPartition(
  { run }: { readonly run: RunContext },
  oid: number | null,
  error: unknown,
): Promise<boolean> {
  return oid !== null && (await isDroppedPartition(run.database.state, run.rollout.table.sql, oid, error))
}

const DEFAULT_ROWS_PER_BLOCK = 50
const BLOCK_BYTES = 8_192

/**
 * Reads the leaf partitions of a table, or only the one with `onlyOid`: none if it was dropped or detached.
 * @throws OperationFailedError if the table does not exist or does not use the heap access method
 */
export async function readLeafPartitions(sql: Sql, table: string, onlyOid?: number): Promise<LeafPartition[]> {
  const relationFilter =
    onlyOid === undefined
      ? 'c.oid in (select relid from pg_partition_tree(to_regclass($1::text)))'
      : 'to_regclass($1::text) in (select relid from pg_partition_ancestors(c.oid))'
  const result = await sql.unsafe<
    {
      exists: boolean
      citus: boolean
      leaves: (LeafPartition & { method: string | null; rows: number; pages: number })[]
    }[]
  >(
    `select /* sti */ to_regclass($1::text) is not null as exists, exists (select from pg_extension where extname = 'citus') as citus, coalesce(jsonb_agg(jsonb_build_object('oid', c.oid::int8, 'schema', n.nspname, 'name', c.relname, 'sql', format('%I.%I', n.nspname, c.relname),
       'blocks', pg_relation_size(c.oid) / current_setting('block_size')::int, 'filenode', pg_relation_filenode(c.oid)::int8,
       'method', am.amname, 'rows', c.reltuples, 'pages', c.relpages) order by c.oid), '[]') as leaves
     from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_am am on am.oid = c.relam
     where c.relkind <> 'p' and (c.oid = to_regclass($1::text) or ${relationFilter})${onlyOid === undefined ? '' : ' and c.oid = $2::text::oid'}`,
    onlyOid === undefined ? [table] : [table, String(onlyOid)],
  )
  const { exists, citus, leaves } = onlyRow(result)
  if (!exists) {
    throw new OperationFailedError(
      '42P01',
      `${table} does not exist. The table was dropped: restore it or correct the rollout file.`,
    )
  }
  const unsupported = leaves.find((leaf) => leaf.method !== 'heap')
  if (unsupported !== undefined) {
    throw new OperationFailedError(
      'storage',
      `${unsupported.sql} does not use the heap access method (${unsupported.method ?? 'foreign table'}). Only tables with PostgreSQL's heap access method can be rolled out.`,
    )
  }
  const partitions = leaves.map(({ oid, schema, name, sql: quoted, blocks, filenode, rows, pages }) => ({
    oid,
    schema,
    name,
    sql: quoted,
    blocks,
    filenode,
    rowsPerBlock: rows > 0 && pages > 0 ? rows / pages : DEFAULT_ROWS_PER_BLOCK,
    nodes: 1,
  }))
  return citus ? await Promise.all(partitions.map((leaf) => layShardsTogether(sql, leaf))) : partitions
}

/** A block of a table in shards is that block of every shard: one range is written on all of them at once. */
async function layShardsTogether(sql: Sql, leaf: LeafPartition): Promise<LeafPartition> {
  const shards = await readShardLayout(sql, leaf.oid)
  if (shards === null) return leaf
  const { blocks, bytes, nodes, rows, fingerprint } = shards
  const pages = bytes / BLOCK_BYTES
  const estimatedRows = rows === null || rows === 0 ? pages * DEFAULT_ROWS_PER_BLOCK : rows
  const rowsPerBlock = Math.max(1, estimatedRows / Math.max(1, blocks))
  return { ...leaf, blocks, filenode: fingerprint, rowsPerBlock, nodes: Math.max(1, nodes) }
}
