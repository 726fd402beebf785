import { loadModule, normalizeSync, parsePlPgSQLSync, parseSync, scanSync } from 'libpg-query'

/** A node of PostgreSQL's parse tree: an object whose one key is the kind, or the fields of such a node. */
export type ParseNode = { readonly [key: string]: unknown }

// The parser is WebAssembly. Loading it once here makes all functions synchronous.
await loadModule()

/** Parses with PostgreSQL's grammar. @throws Error with PostgreSQL's message */
export function parseStatements(sql: string): ParseNode[] {
  const { stmts = [] } = parseSync(sql)
  return stmts.map((statement) => (statement.stmt ?? {}) as ParseNode)
}

/** Every statement of a text with its kind (`InsertStmt`), without the semicolon. */
export function splitStatements(sql: string): { kind: string; text: string }[] {
  const bytes = Buffer.from(sql)
  const { stmts = [] } = parseSync(sql)
  return stmts.map(({ stmt, stmt_location: start = 0, stmt_len: length = 0 }) => ({
    kind: Object.keys(stmt ?? {})[0] ?? '',
    text: bytes
      .subarray(start, length === 0 ? undefined : start + length)
      .toString()
      .trim(),
  }))
}

/** Parses a statement once. Returns a function that replaces every parameter by what `value` returns for its number. */
export function parseParameters(sql: string): (value: (number: number) => string) => string {
  const bytes = Buffer.from(sql)
  const pieces: { readonly before: string; readonly number: number }[] = []
  let end = 0
  for (const token of scanSync(sql).tokens) {
    if (token.tokenName !== 'PARAM') continue
    pieces.push({ before: bytes.subarray(end, token.start).toString(), number: Number(token.text.slice(1)) })
    end = token.end
  }
  const last = bytes.subarray(end).toString()
  return (value) => pieces.map(({ before, number }) => before + value(number)).join('') + last
}

/** The tokens of a text by their start offset in UTF-8 bytes. */
export function tokensByStart(sql: string): Map<number, { end: number; text: string }> {
  return new Map(scanSync(sql).tokens.map((token) => [token.start, { end: token.end, text: token.text }]))
}

/** The tokens of a text with one space between them, without comments. */
export function normalizeSql(sql: string): string {
  return scanSync(sql)
    .tokens.filter(({ tokenName }) => tokenName !== 'SQL_COMMENT' && tokenName !== 'C_COMMENT')
    .map(({ text }) => text)
    .join(' ')
}

/**
 * The statement with `$1`, `$2`, … in place of its constants, as in pg_stat_statements. A text that is cut off or not SQL
 * ends before its first string.
 */
export function replaceConstants(statement: string): string {
  try {
    return normalizeSync(statement)
  } catch {
    return statement.replace(/('|\$[A-Za-z_]*\$)[^]*/, '…')
  }
}

/**
 * Calls `visit` for every node below `tree`, outermost first, with its kind (`ColumnRef`), or with the name of its field
 * (`larg`) if the tree omits the kind.
 */
export function walkParseTree(tree: unknown, visit: (kind: string, fields: ParseNode) => void): void {
  // Iterative, since a chain of operators is nested as deep as it is long.
  const pending: { kind: string | null; node: unknown }[] = [{ kind: null, node: tree }]
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { kind, node } = next
    if (typeof node !== 'object' || node === null) continue
    if (kind !== null && !Array.isArray(node)) visit(kind, node as ParseNode)
    const children = Array.isArray(node)
      ? node.map((item: unknown) => ({ kind: null, node: item }))
      : Object.entries(node).map(([key, value]) => ({ kind: key, node: value as unknown }))
    pending.push(...children.reverse())
  }
}

/** The strings of a list of String nodes, such as a qualified name; null for other lists. */
export function stringValues(list: unknown): string[] | null {
  if (!Array.isArray(list)) return null
  const values = list.map((item: ParseNode) => (item['String'] as { sval?: string } | undefined)?.sval)
  return values.every((text) => text !== undefined) ? values : null
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Parses the `create function` of a PL/pgSQL function. @throws Error with PostgreSQL's message */
export function parsePlpgsqlFunction(definition: string): ParseNode {
  return parsePlPgSQLSync(definition) as unknown as ParseNode
}
