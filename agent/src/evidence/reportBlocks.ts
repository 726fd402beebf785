/** A report as a reader sees it, before it is Markdown or HTML. All texts are plain: who renders escapes them. */
export type ReportBlock =
  | { readonly kind: 'heading'; readonly level: 1 | 2 | 3; readonly text: string }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'table'; readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] }
  | { readonly kind: 'code'; readonly text: string }
  | ChartBlock

/** A line over time, of values from 0 to 1. */
export interface ChartBlock {
  readonly kind: 'chart'
  readonly title: string
  readonly points: readonly { readonly at: string; readonly ratio: number }[]
}

export const heading = (text: string, level: 1 | 2 | 3 = 2): ReportBlock => ({ kind: 'heading', level, text })
export const paragraph = (text: string): ReportBlock => ({ kind: 'text', text })
export const codeBlock = (text: string): ReportBlock => ({ kind: 'code', text })

/** A table; where there is nothing to list, the sentence that says so. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], none: string): ReportBlock {
  return rows.length === 0 ? paragraph(none) : { kind: 'table', head, rows }
}

/** `2026-01-31 12:00:05`, UTC. */
export const formatInstant = (instant: string | null): string => instant?.slice(0, 19).replace('T', ' ') ?? '-'

/** Rounded down: 100 % only when it is. */
export function formatPercent(ratio: number | null): string {
  return ratio === null ? 'not counted' : `${(Math.floor(ratio * 1_000_000) / 10_000).toString()} %`
}

/** A number as people read it; null is a dash. */
export function formatNumber(value: number | null): string {
  if (value === null) return '-'
  return Number.isInteger(value) ? value.toLocaleString('en-US') : Number(value.toPrecision(6)).toString()
}

/** The beginning of a long text; the report as JSON has all of it. */
export function truncateText(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length <= MAX_TEXT_CHARACTERS ? line : `${line.slice(0, MAX_TEXT_CHARACTERS)}…`
}

const MAX_TEXT_CHARACTERS = 200
