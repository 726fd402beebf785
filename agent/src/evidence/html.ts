import type { SignedReport } from '../contract/index.ts'
import type { ReportBlock } from './reportBlocks.ts'
import { renderChart } from './svgChart.ts'
import { buildReportDocument } from './reportDocument.ts'
import { escapeHtml } from '../format/html.ts'

/** A report as one HTML file for screen and paper. It loads no resources and runs no scripts. */
export function renderReportHtml(signed: SignedReport): string {
  const { rollout, environment } = signed.report
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(`Rollout ${rollout} in ${environment}`)}</title>
<style>${STYLESHEET}</style>
</head>
<body>
${buildReportDocument(signed).map(renderBlockHtml).join('\n')}
</body>
</html>
`
}

const STYLESHEET = `
:root { color-scheme: light }
body { font: 15px/1.5 system-ui, sans-serif; color: #1b1f24; background: #fff; max-width: 75rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.7rem } h2 { font-size: 1.25rem; margin-top: 2.2rem; border-bottom: 1px solid #d0d7de } h3 { font-size: 1.05rem }
table { border-collapse: collapse; width: 100%; font-size: .85rem }
th, td { border: 1px solid #d0d7de; padding: .3rem .5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere }
th { background: #f3f5f7 } th, td.short { overflow-wrap: normal; hyphens: none } th:empty { display: none }
td.pass, td.ready { background: #e3f6e8 } td.fail, td.error, td.not-ready { background: #fde6e6 } td.inconclusive, td.unknown { background: #fff3d6 }
pre { background: #f3f5f7; padding: .8rem; overflow-x: auto; white-space: pre-wrap; overflow-wrap: anywhere; font-size: .8rem }
svg { max-width: 100%; height: auto }
@media print {
  body { max-width: none; margin: 0; font-size: 10pt } table { font-size: 7.5pt }
  thead { display: table-header-group } tr, svg { break-inside: avoid } h2, h3 { break-after: avoid }
  td, th { -webkit-print-color-adjust: exact; print-color-adjust: exact }
}`

const CELL_CLASSES = ['pass', 'fail', 'inconclusive', 'error', 'ready', 'not-ready', 'unknown']

function renderBlockHtml(block: ReportBlock): string {
  switch (block.kind) {
    case 'heading':
      return `<h${block.level}>${escapeHtml(block.text)}</h${block.level}>`
    case 'text':
      return `<p>${escapeHtml(block.text)}</p>`
    case 'table': {
      const head = block.head.map((cell) => `<th scope="col">${escapeHtml(cell)}</th>`).join('')
      const rows = block.rows.map((row) => `<tr>${row.map(renderCell).join('')}</tr>`).join('\n')
      return `<table>\n<thead><tr>${head}</tr></thead>\n<tbody>\n${rows}\n</tbody>\n</table>`
    }
    case 'code':
      return `<pre>${escapeHtml(block.text)}</pre>`
    case 'chart':
      return renderChart(block)
  }
}

/** Cells up to this length are not hyphenated. */
const MAX_NOWRAP_CHARACTERS = 24

function renderCell(text: string): string {
  return CELL_CLASSES.includes(text)
    ? `<td class="${text}">${text}</td>`
    : `<td${text.length <= MAX_NOWRAP_CHARACTERS ? ' class="short"' : ''}>${escapeHtml(text)}</td>`
}
