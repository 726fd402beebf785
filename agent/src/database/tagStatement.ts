/** The comment that marks a statement of the agent; it stands after the first word, since PostgreSQL 18 drops it before it. */
const TAG = '/* sti */'

/**
 * A statement with the tag by which the query-time signal recognizes the agent's own statements (signals/queryTime.ts).
 * Every connection tags what it sends; only the statements after the first of a text with several need this function.
 */
export function tagStatement(statement: string): string {
  return statement.includes(TAG) ? statement : statement.replace(/^\s*\w+/, `$& ${TAG}`)
}
