import type postgres from 'postgres'
import type { Sql } from './connect.ts'
import { tagStatement } from './tagStatement.ts'

/**
 * Runs one SELECT of a rollout file so that nothing in it can write: once a query has begun in a read-only transaction,
 * PostgreSQL refuses to make that transaction read-write. What the query sets for the session is rolled back, so it does
 * not reach the next one.
 */
export async function readOnlyQuery<Row extends postgres.MaybeRow[]>(
  sql: Sql,
  query: string,
): Promise<postgres.RowList<Row>> {
  const text = ['set transaction read only', tagStatement(query), 'rollback'].join('\n;\n')
  const results = (await sql.unsafe(text)) as unknown as readonly [unknown, postgres.RowList<Row>]
  return results[1]
}
