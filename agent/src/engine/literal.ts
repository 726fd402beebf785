/** A string as an SQL literal; for DDL, which takes no parameters. Never for what came over HTTP as code. */
export function literal(text: string | null): string {
  if (text === null) return 'null'
  const quoted = `'${text.replaceAll("'", "''")}'`
  return text.includes('\\') ? ` E${quoted.replaceAll('\\', '\\\\')}` : quoted
}

export function jsonLiteral(value: unknown): string {
  return value === null || value === undefined ? 'null' : `${literal(JSON.stringify(value))}::jsonb`
}

/** A quoted identifier. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
