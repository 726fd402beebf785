/** The comment that marks a statement of the agent; it stands after the first word, since PostgreSQL 18 drops it before it. */
const TAG = '/* sti */'

/**
 * A statement with the tag by which the query-time signal recognizes the agent's own statements (signals/queryTime.ts).
 * Every connection tags what it sends; only the statements after the first of a text with several need this function.
 */
export function tagStatement(statement: string): string {
  return statement.includes(TAG) ? statement : statement.replace(/^\s*\w+/, `$& ${TAG}`)
}

/**
 * SQL: this entry of pg_stat_statements is a statement of the agent. Its role has to be the agent's, and its mark has to
 * be where the agent writes it: a comment, an alias `sti` or a tag `$sti$` in a statement of the application is not
 * enough.
 */
export const OWN_STATEMENT_SQL = String.raw`(userid = (select oid from pg_catalog.pg_roles where rolname = current_user) and (
  query ~* '^\s*\w+( recursive)? /\* sti \*/'
  or query ~* '^\s*do \$sti[0-9]*\$'
  or query ~* '\m(from|join|into|update|using|table|function|sequence) (only |if exists |if not exists )?"?sti(_trial_[0-9]+)?"?\.'
  or query ~* '\msti\.(append_event|record_conflict|record_correction)\('))`
