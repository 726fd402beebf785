/**
 * A statement with the mark by which the query-time signal leaves it out (signals/statements.ts): bulk work of ours on
 * the user's table is not the application's query time. One that names the schema `sti` needs no mark.
 */
export function tagStatement(statement: string): string {
  // After the first word: PostgreSQL 18 drops a comment before it.
  return statement.replace(/^\s*\w+/, '$& /* sti */')
}
