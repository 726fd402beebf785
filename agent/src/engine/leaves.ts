import type { Sql } from '../database/connect.ts'
import type { QualifiedName } from '../rollout/rollout.ts'
import { onlyRow } from './answer.ts'
import { OperationFailure } from './errors.ts'

/** A relation that holds rows: a leaf partition, or the table itself. */
export interface Leaf extends QualifiedName {
  readonly oid: number
  readonly blocks: number
  /** Another one after VACUUM FULL, CLUSTER or a repack: rows stand elsewhere then. */
  readonly filenode: number
  /** As the statistics say; a guess where it was never analyzed. */
  readonly rowsPerBlock: number
}

const GUESSED_ROWS_PER_BLOCK = 50

/** @throws OperationFailure when the table is gone, or is not stored in PostgreSQL's own heap */
export async function leavesOf(sql: Sql, table: string): Promise<Leaf[]> {
  const answer = await sql.unsafe<{ leaves: (Leaf & { method: string | null; rows: number; pages: number })[] }[]>(
    `select /* sti */ coalesce(jsonb_agg(jsonb_build_object('oid', c.oid::int8, 'schema', n.nspname, 'name', c.relname, 'sql', format('%I.%I', n.nspname, c.relname),
       'blocks', pg_relation_size(c.oid) / current_setting('block_size')::int, 'filenode', pg_relation_filenode(c.oid)::int8,
       'method', am.amname, 'rows', c.reltuples, 'pages', c.relpages) order by c.oid), '[]') as leaves
     from pg_class c join pg_namespace n on n.oid = c.relnamespace left join pg_am am on am.oid = c.relam
     where c.relkind <> 'p' and (c.oid = to_regclass($1::text) or c.oid in (select relid from pg_partition_tree(to_regclass($1::text))))`,
    [table],
  )
  const { leaves } = onlyRow(answer)
  const other = leaves.find((leaf) => leaf.method !== 'heap')
  if (other !== undefined) {
    throw new OperationFailure(
      'storage',
      `${other.sql} is stored by ${other.method ?? 'something else than PostgreSQL'}: only tables in PostgreSQL's own heap can be rolled out.`,
    )
  }
  return leaves.map(({ oid, schema, name, sql, blocks, filenode, rows, pages }) => ({
    ...{ oid, schema, name, sql, blocks, filenode },
    rowsPerBlock: rows > 0 && pages > 0 ? rows / pages : GUESSED_ROWS_PER_BLOCK,
  }))
}
