import type { SignedReport } from '../contract/index.ts'
import type { ReportBlock } from './reportBlocks.ts'
import { buildReportDocument } from './reportDocument.ts'

/** A report as Markdown (GitHub's tables). Whatever people or rows wrote stays text. */
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
    // The table beside it has its numbers.
    case 'chart':
      return []
  }
}

/** Also of line breaks, which would end a row of a table, and of HTML. */
function escapeMarkdown(text: string): string {
  return text
    .replace(/[\\`*_{}[\]()#+!|~$@]/g, (character) => `\\${character}`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/\s+/g, ' ')
    .trim()
}

/** With a fence that is longer than any in the text. */
function fenceCode(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([ticks]) => ticks.length))
  const fence = '`'.repeat(longest + 1)
  return `${fence}\n${text.trimEnd()}\n${fence}`
}
