/** A token of SQL for syntax highlighting. */
export interface SqlToken {
  readonly kind: 'comment' | 'string' | 'keyword' | 'number' | 'plain'
  readonly text: string
}

const KEYWORDS = new Set(
  `add all alter always and any archive array as asc begin between by cascade case check column comment commit constraint
  create cross current declare default delete desc distinct do drop else elsif end enable exception exclusive execute exists
  false for foreign from function generated grant group having if in index inner insert into is join key language left
  like limit local lock loop materialized mode not null of on only or order partition perform policy primary publication
  raise record references rename replace restrict return returning returns revoke right row rows select set share statistics
  storage table temporary then to transaction trigger true type union unique update using values view when where while with`
    .split(/\s+/)
    .filter(Boolean),
)

const TOKEN_PATTERNS = [
  /(?<comment>--[^\n]*|\/\*[\s\S]*?\*\/)/,
  /(?<string>'(?:[^']|'')*')/,
  /(?<plain>"(?:[^"]|"")*"|\$[A-Za-z_]*\$)/,
  /(?<number>\b\d+(?:\.\d+)?\b)/,
  /(?<word>[A-Za-z_][A-Za-z0-9_$]*)/,
]
const TOKEN_PATTERN = new RegExp(TOKEN_PATTERNS.map(({ source }) => source).join('|'), 'g')

/** Splits SQL into tokens for highlighting. The concatenated tokens are the original text. */
export function highlightSql(sql: string): SqlToken[] {
  const tokens: SqlToken[] = []
  const push = (kind: SqlToken['kind'], text: string) => {
    const last = tokens.at(-1)
    if (text === '') return
    if (last?.kind === kind) tokens[tokens.length - 1] = { kind, text: last.text + text }
    else tokens.push({ kind, text })
  }
  let offset = 0
  for (const match of sql.matchAll(TOKEN_PATTERN)) {
    const [text] = match
    const { comment, string, number, word } = match.groups ?? {}
    push('plain', sql.slice(offset, match.index))
    offset = match.index + text.length
    if (comment !== undefined) push('comment', text)
    else if (string !== undefined) push('string', text)
    else if (number !== undefined) push('number', text)
    else push(word !== undefined && KEYWORDS.has(word.toLowerCase()) ? 'keyword' : 'plain', text)
  }
  push('plain', sql.slice(offset))
  return tokens
}
