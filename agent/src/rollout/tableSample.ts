import { onlyRow } from '../database/onlyRow.ts'
import type { Sql } from '../database/connect.ts'
import type { Table } from './rollout.ts'

/** Which rows of a table are read. */
export interface TableSample {
  /** Follows the name of the table in FROM; empty: every row is read. */
  readonly clause: string
  readonly sampled: boolean
}

/** A sample of about `maxPages` pages, or every row of a table that has no more. */
export async function sampleTable(
  sql: Sql,
  table: Pick<Table, 'oid' | 'partitions'>,
  maxPages: number,
): Promise<TableSample> {
  const { pages } = onlyRow(
    await sql<{ pages: number }[]>`
      select (coalesce(sum(pg_relation_size(oid::oid)), 0) / current_setting('block_size')::int)::float8 as pages
      from jsonb_array_elements_text(${sql.json([table.oid, ...table.partitions.map((partition) => partition.oid)])}::jsonb) as oid`,
  )
  const sampled = pages > maxPages
  return { clause: sampled ? ` tablesample system (${((100 * maxPages) / pages).toFixed(6)})` : '', sampled }
}
