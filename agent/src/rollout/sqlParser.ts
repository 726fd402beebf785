import { loadModule, parsePlPgSQLSync, parseSync, scanSync } from 'libpg-query'

/** A node of PostgreSQL's parse tree: one key names its kind, or it holds the fields of one. */
export type ParseNode = { readonly [key: string]: unknown }

// The parser is WebAssembly; it is loaded once, so that everything after it is synchronous.
await loadModule()

/** Parses with PostgreSQL's own grammar. Throws an Error with PostgreSQL's message. */
export function parseStatements(sql: string): ParseNode[] {
  const { stmts = [] } = parseSync(sql)
  return stmts.map((statement) => (statement.stmt ?? {}) as ParseNode)
}

/** The tokens of a text by the byte (UTF-8) at which they start. */
export function tokensByStart(sql: string): Map<number, { end: number; text: string }> {
  return new Map(scanSync(sql).tokens.map((token) => [token.start, { end: token.end, text: token.text }]))
}

/**
 * Calls `visit` for every node below `tree`, outermost first, with its kind (`ColumnRef`), or with the field that holds
 * it (`larg`) where the tree leaves the kind out.
 */
export function walkParseTree(tree: unknown, visit: (kind: string, fields: ParseNode) => void): void {
  // With a list of what is left, since a chain of operators is nested as deep as it is long.
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

/** The strings of a list of String nodes: a qualified name, the name of an operator. */
export function stringValues(list: unknown): string[] | null {
  if (!Array.isArray(list)) return null
  const values = list.map((item: ParseNode) => (item['String'] as { sval?: string } | undefined)?.sval)
  return values.every((text) => text !== undefined) ? values : null
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Parses the `create function` of a PL/pgSQL function. Throws an Error with PostgreSQL's message. */
export function parsePlpgsqlFunction(definition: string): ParseNode {
  return parsePlPgSQLSync(definition) as unknown as ParseNode
}
