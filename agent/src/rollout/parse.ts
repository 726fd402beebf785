import { loadModule, parseSync, scanSync } from 'libpg-query'

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
  if (Array.isArray(tree)) {
    for (const item of tree) walk(item, visit)
  } else if (typeof tree === 'object' && tree !== null) {
    for (const [key, value] of Object.entries(tree)) {
      if (typeof value !== 'object' || value === null) continue
      if (!Array.isArray(value)) visit(key, value as Tree)
      walk(value, visit)
    }
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
