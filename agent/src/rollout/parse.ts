import { loadModule, parsePlPgSQLSync, parseSync, scanSync } from 'libpg-query'

/** A node of PostgreSQL's parse tree: one key names its kind, or it holds the fields of one. */
export type Tree = { readonly [key: string]: unknown }

// The parser is WebAssembly; it is loaded once, so that everything after it is synchronous.
await loadModule()

/** Parses with PostgreSQL's own grammar. Throws an Error with PostgreSQL's message. */
export function parseStatements(sql: string): Tree[] {
  const { stmts = [] } = parseSync(sql)
  return stmts.map((statement) => (statement.stmt ?? {}) as Tree)
}

/** The tokens of a text by the byte (UTF-8) at which they start. */
export function tokensByStart(sql: string): Map<number, { end: number; text: string }> {
  return new Map(scanSync(sql).tokens.map((token) => [token.start, { end: token.end, text: token.text }]))
}

/**
 * Calls `visit` for every node below `tree`, outermost first, with its kind (`ColumnRef`), or with the field that holds
 * it (`larg`) where the tree leaves the kind out.
 */
export function walk(tree: unknown, visit: (kind: string, fields: Tree) => void): void {
  // With a list of what is left, since a chain of operators is nested as deep as it is long.
  const left: { kind: string | null; node: unknown }[] = [{ kind: null, node: tree }]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const { kind, node } = next
    if (typeof node !== 'object' || node === null) continue
    if (kind !== null && !Array.isArray(node)) visit(kind, node as Tree)
    const below = Array.isArray(node)
      ? node.map((item: unknown) => ({ kind: null, node: item }))
      : Object.entries(node).map(([key, value]) => ({ kind: key, node: value as unknown }))
    left.push(...below.reverse())
  }
}

/** The strings of a list of String nodes: a qualified name, the name of an operator. */
export function strings(list: unknown): string[] | null {
  if (!Array.isArray(list)) return null
  const found = list.map((item: Tree) => (item['String'] as { sval?: string } | undefined)?.sval)
  return found.every((text) => text !== undefined) ? found : null
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Parses the `create function` of a PL/pgSQL function. Throws an Error with PostgreSQL's message. */
export function parsePlpgsqlFunction(definition: string): Tree {
  return parsePlPgSQLSync(definition) as unknown as Tree
}
