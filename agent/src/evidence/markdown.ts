import type { SignedReport } from '../contract/index.ts'
import { escapeMarkdown, markdownCodeBlock, markdownTable } from '../format/markdown.ts'
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
        markdownTable(
          block.head.map(escapeMarkdown),
          block.rows.map((row) => row.map(escapeMarkdown)),
        ),
      ]
    case 'code':
      return [markdownCodeBlock(block.text)]
    // The table below the chart has the same numbers.
    case 'chart':
      return []
  }
}
