import type { Sql } from '../database/connect.ts'
import type { QualifiedName } from '../rollout/rollout.ts'
import { onlyRow } from './answer.ts'
import { codeOf, OperationFailure } from './errors.ts'

/** A relation that holds rows: a leaf partition, or the table itself. */
export interface Leaf extends QualifiedName {
  readonly oid: number
  readonly blocks: number
  /** Another one after VACUUM FULL, CLUSTER or a repack: rows stand elsewhere then. */
  readonly filenode: number
  /** As the statistics say; a guess where it was never analyzed. */
  readonly rowsPerBlock: number
}

/** Whether an error comes of a leaf that was dropped since: its rows went with it. */
export async function isGone(sql: Sql, table: string, oid: number, error: unknown): Promise<boolean> {
  return codeOf(error) === '42P01' && (await leavesOf(sql, table, oid)).length === 0
}

const GUESSED_ROWS_PER_BLOCK = 50

/**
 * All leaves of a table, or the one of this oid as it is now: none when it is dropped, or no part of the table any more.
 * @throws OperationFailure when the table is gone, or is not stored in PostgreSQL's own heap
 */
export async function leavesOf(sql: Sql, table: string, only?: number): Promise<Leaf[]> {
  const part =
    only === undefined
      ? 'c.oid in (select relid from pg_partition_tree(to_regclass($1::text)))'
      : 'to_regclass($1::text) in (select relid from pg_partition_ancestors(c.oid))'
  const answer = await sql.unsafe<
    { there: boolean; leaves: (Leaf & { method: string | null; rows: number; pages: number })[] }[]
  >(
    `select /* sti */ to_regclass($1::text) is not null as there, coalesce(jsonb_agg(jsonb_build_object('oid', c.oid::int8, 'schema', n.nspname, 'name', c.relname, 'sql', format('%I.%I', n.nspname, c.relname),
       'blocks', pg_relation_size(c.oid) / current_setting('block_size')::int, 'filenode', pg_relation_filenode(c.oid)::int8,
       'method', am.amname, 'rows', c.reltuples, 'pages', c.relpages) order by c.oid), '[]') as leaves
     from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_am am on am.oid = c.relam
     where c.relkind <> 'p' and (c.oid = to_regclass($1::text) or ${part})${only === undefined ? '' : ' and c.oid = $2::text::oid'}`,
    only === undefined ? [table] : [table, String(only)],
  )
  const { there, leaves } = onlyRow(answer)
  if (!there) {
    throw new OperationFailure(
      '42P01',
      `${table} does not exist. The table is gone: bring it back, or correct the rollout file.`,
    )
  }
  const other = leaves.find((leaf) => leaf.method !== 'heap')
  if (other !== undefined) {
    throw new OperationFailure(
      'storage',
      `${other.sql} is stored by ${other.method ?? 'something else than PostgreSQL'}: only tables in PostgreSQL's own heap can be rolled out.`,
    )
  }
  return leaves.map(({ oid, schema, name, sql, blocks, filenode, rows, pages }) => ({
    oid,
    schema,
    name,
    sql,
    blocks,
    filenode,
    rowsPerBlock: rows > 0 && pages > 0 ? rows / pages : GUESSED_ROWS_PER_BLOCK,
  }))
}
