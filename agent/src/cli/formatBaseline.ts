import type { BaselineComparison, BaselineSummary, BaselineComparisonItem } from '../contract/index.ts'
import { formatBytes, formatDuration, formatPercent, secondsBetween } from './formatNumbers.ts'
import { alignColumns } from './formatResponses.ts'

export const BASELINE_COLUMNS = ['ID', 'MEASURED', 'FROM', 'FOR', 'RELEASE', 'ENVIRONMENT', 'SIGNALS', 'USABLE']

export function formatBaselineRow(baseline: BaselineSummary): string[] {
  return [
    String(baseline.id),
    baseline.source === 'import' ? `${baseline.measured}, imported` : baseline.measured,
    baseline.startedAt.slice(0, 19).replace('T', ' '),
    formatDuration(secondsBetween(baseline.startedAt, baseline.endedAt)),
    baseline.release ?? '-',
    baseline.environment,
    String(baseline.signals.filter(({ unknown }) => unknown === null).length),
    baseline.unusable[0] ?? 'yes',
  ]
}

export function formatBaseline(baseline: BaselineSummary): string[] {
  const { signals, startedAt, endedAt, release } = baseline
  const rows = signals.map((signal) =>
    signal.mean === null
      ? [signal.signal, 'unknown', '', '', signal.unknown ?? '']
      : [
          signal.signal,
          ...[signal.mean, signal.p95!, signal.maximum!].map((value) => formatSignalValue(signal.signal, value)),
          `${signal.samples}`,
        ],
  )
  return [
    `baseline ${baseline.id}${release === null ? '' : ` of ${release}`}: ${formatDuration(secondsBetween(startedAt, endedAt))} until ${endedAt}, ${baseline.measured}, ${baseline.queries} queries`,
    ...alignColumns([['SIGNAL', 'MEAN', 'P95', 'MAXIMUM', 'READINGS'], ...rows]),
    ...baseline.notes.map((note) => `note: ${note}`),
    ...baseline.warnings.map((warning) => `warning: ${warning}`),
    ...baseline.unusable.map((reason) => `not to be judged by: ${reason}`),
  ]
}

const MAX_QUERIES_SHOWN = 10

export function formatComparison({
  baseline,
  from,
  until,
  verdict,
  signals,
  queries,
  notes,
}: BaselineComparison): string[] {
  const rows = [...signals, ...queries.slice(0, MAX_QUERIES_SHOWN)].map((item) => [
    item.verdict ?? '-',
    item.name.replace(/\s+/g, ' ').slice(0, 60),
    ...[item.baseline, item.now].map((value) =>
      value === null ? '-' : formatSignalValue(unitSignal(item, signals), value),
    ),
    item.ratio === null ? '-' : item.ratio.toFixed(3),
    item.detail,
  ])
  return [
    `now (the last ${formatDuration(secondsBetween(from, until))}) against baseline ${baseline.id} of ${baseline.endedAt}`,
    ...alignColumns([['VERDICT', 'WHAT', 'BASELINE', 'NOW', 'RATIO', 'DETAIL'], ...rows]),
    ...(queries.length > MAX_QUERIES_SHOWN ? [`… and ${queries.length - MAX_QUERIES_SHOWN} more queries`] : []),
    ...notes,
    `compared: ${verdict}`,
  ]
}

/** A query is time, as the signal of all queries is. */
const unitSignal = (item: BaselineComparisonItem, signals: readonly BaselineComparisonItem[]): string =>
  signals.includes(item) ? item.name : 'query-time'

const RATIO_SIGNALS = new Set([
  'api-error-ratio',
  'buffer-hit-ratio',
  'connections',
  'host-cpu',
  'host-memory',
  'host-disk',
])
const DURATION_SIGNALS = new Set([
  'api-latency-average',
  'api-latency-p95',
  'query-time',
  'lock-wait',
  'oldest-transaction',
])
const RATE_SIGNALS = new Set(['api-request-rate', 'host-disk-operations'])

function formatSignalValue(signal: string, value: number): string {
  if (RATIO_SIGNALS.has(signal)) return formatPercent(value)
  if (DURATION_SIGNALS.has(signal))
    return value > 0 && value < 0.01 ? `${(value * 1000).toFixed(3)} ms` : formatDuration(value)
  if (RATE_SIGNALS.has(signal)) return `${value.toFixed(1)}/s`
  if (signal === 'host-network') return `${formatBytes(value)}/s`
  return signal === 'replication' ? formatBytes(value) : String(value)
}
