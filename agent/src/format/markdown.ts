import { toVisibleLine, toVisibleLines } from './visibleText.ts'

/**
 * A text inside GitHub-flavored Markdown, on one line: no markup, link, mention or reference of its own. The comment after
 * `@` and `#` ends the name that GitHub would look up; it looks after escapes and entities are resolved.
 */
export function escapeMarkdown(text: string): string {
  return toVisibleLine(text.replace(/[ \t\r\n]+/g, ' ').trim())
    .replace(/[\\`*_{}[\]()#+!|~$@]/g, (character) => `\\${character}`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/\\[@#]/g, (escape) => `${escape}<!-- -->`)
    .replaceAll('://', '&#58;//')
    .replace(/\bwww\./gi, (prefix) => `${prefix.slice(0, 3)}&#46;`)
    .replace(/^[-=]/, (mark) => `\\${mark}`)
    .replace(/^(\d+)([.)])/, '$1\\$2')
}

/** A name as code inside a line of Markdown, whatever backquotes it has. */
export function markdownCode(text: string): string {
  return `<code>${escapeMarkdown(text)}</code>`
}

/** A block of code, with a fence longer than any run of backquotes in it. */
export function markdownCodeBlock(text: string, language = ''): string {
  const visible = toVisibleLines(text).trimEnd()
  const longest = Math.max(2, ...[...visible.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}${language}\n${visible}\n${fence}`
}

/** A table whose cells are Markdown already. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}
