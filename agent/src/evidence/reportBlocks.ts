import { formatPercent, NO_VALUE } from '../format/format.ts'

const MAX_TEXT_CHARACTERS = 200

/** A report as a reader sees it, before it becomes Markdown or HTML. All texts are plain; the renderers escape them. */
export type ReportBlock =
  | { readonly kind: 'heading'; readonly level: 1 | 2 | 3; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'table'; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: 'code'; readonly text: string }
  | ChartBlock

/** A line chart over time. */
export interface ChartBlock {
  readonly kind: 'chart'
  readonly title: string
  /** `at`: ISO 8601; `ratio`: 0 to 1. */
  readonly points: readonly { readonly at: string; readonly ratio: number }[]
}

export const heading = (text: string, level: 1 | 2 | 3 = 2): ReportBlock => ({ kind: 'heading', level, text })
export const paragraph = (text: string): ReportBlock => ({ kind: 'text', text })
export const codeBlock = (text: string): ReportBlock => ({ kind: 'code', text })

/** A table, or the sentence `emptyText` if there are no rows. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], emptyText: string): ReportBlock {
  return rows.length === 0 ? paragraph(emptyText) : { kind: 'table', head, rows }
}

/** `2026-01-31 12:00:05`, in UTC. */
export const formatInstant = (instant: string | null): string => instant?.slice(0, 19).replace('T', ' ') ?? NO_VALUE

/** A ratio such as coverage, which is unknown until the table has been read. */
export const formatMeasuredRatio = (ratio: number | null): string =>
  ratio === null ? 'not measured' : formatPercent(ratio)

/** The beginning of a long text; the JSON report contains all of it. */
export function truncateText(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length <= MAX_TEXT_CHARACTERS ? line : `${line.slice(0, MAX_TEXT_CHARACTERS)}…`
}
