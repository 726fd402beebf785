import type { SignedReport } from '../contract/index.ts'
import type { ReportBlock } from './reportBlocks.ts'
import { buildReportDocument } from './reportDocument.ts'

/** A report as GitHub-flavored Markdown. Text from people or from rows is escaped and never becomes markup. */
export function renderReportMarkdown(signed: SignedReport): string {
  return `${buildReportDocument(signed).flatMap(renderBlockMarkdown).join('\n\n')}\n`
}

function renderBlockMarkdown(block: ReportBlock): string[] {
  switch (block.kind) {
    case 'heading':
      return [`${'#'.repeat(block.level)} ${escapeMarkdown(block.text)}`]
    case 'text':
      return [escapeMarkdown(block.text)]
    case 'table':
      return [
        [block.head, block.head.map(() => '---'), ...block.rows]
          .map((row, index) => `| ${row.map((cell) => (index === 1 ? cell : escapeMarkdown(cell))).join(' | ')} |`)
          .join('\n'),
      ]
    case 'code':
      return [fenceCode(block.text)]
    // The table below the chart has the same numbers.
    case 'chart':
      return []
  }
}

/** Escapes Markdown and HTML, and joins lines: a line break would end a table row. */
function escapeMarkdown(text: string): string {
  return text
    .replace(/[\\`*_{}[\]()#+!|~$@]/g, (character) => `\\${character}`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/\s+/g, ' ')
    .trim()
}

/** Uses a fence longer than any run of backticks in the text. */
function fenceCode(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}\n${text.trimEnd()}\n${fence}`
}
