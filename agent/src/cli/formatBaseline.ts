import type { BaselineComparison, BaselineSummary, BaselineComparisonItem } from '../contract/index.ts'
import { formatDuration, formatQuantity, formatValue, type Unit } from '../format/format.ts'
import { secondsBetween } from './formatResponses.ts'
import { alignColumns } from './table.ts'

export const BASELINE_COLUMNS = ['ID', 'SOURCE', 'FROM', 'DURATION', 'RELEASE', 'ENVIRONMENT', 'SIGNALS', 'USABLE']

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

export function formatBaseline(baseline: BaselineSummary, width?: number): string[] {
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
    `baseline ${baseline.id}${release === null ? '' : ` of ${release}`}: ${formatDuration(secondsBetween(startedAt, endedAt))} until ${endedAt}, ${baseline.measured}, ${formatQuantity(baseline.queries, 'query', 'queries')}`,
    ...alignColumns([['SIGNAL', 'MEAN', 'P95', 'MAXIMUM', 'READINGS'], ...rows], width),
    ...baseline.notes.map((note) => `note: ${note}`),
    ...baseline.warnings.map((warning) => `warning: ${warning}`),
    ...baseline.unusable.map((reason) => `not usable: ${reason}`),
  ]
}

const MAX_QUERIES_SHOWN = 10

export function formatComparison(
  { baseline, from, until, verdict, signals, queries, notes }: BaselineComparison,
  width?: number,
): string[] {
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
    `last ${formatDuration(secondsBetween(from, until))} compared with baseline ${baseline.id} of ${baseline.endedAt}`,
    ...alignColumns([['VERDICT', 'SIGNAL OR QUERY', 'BASELINE', 'CURRENT', 'RATIO', 'DETAIL'], ...rows], width),
    ...(queries.length > MAX_QUERIES_SHOWN ? [`… and ${queries.length - MAX_QUERIES_SHOWN} more queries`] : []),
    ...notes,
    `verdict: ${verdict}`,
  ]
}

/** A query has the unit of the signal query-time. */
const unitSignal = (item: BaselineComparisonItem, signals: readonly BaselineComparisonItem[]): string =>
  signals.includes(item) ? item.name : 'query-time'

/** The application's own signals have no unit here: their values are shown as they are. */
const SIGNAL_UNITS: Readonly<Record<string, Unit>> = {
  'api-error-ratio': 'ratio',
  'buffer-hit-ratio': 'ratio',
  connections: 'ratio',
  'host-cpu': 'ratio',
  'host-memory': 'ratio',
  'host-disk': 'ratio',
  'api-latency-average': 'seconds',
  'api-latency-p95': 'seconds',
  'query-time': 'seconds',
  'lock-wait': 'seconds',
  'oldest-transaction': 'seconds',
  'api-request-rate': 'countPerSecond',
  'host-disk-operations': 'countPerSecond',
  'host-network': 'bytesPerSecond',
  replication: 'bytes',
}

function formatSignalValue(signal: string, value: number): string {
  const unit = SIGNAL_UNITS[signal]
  return unit === undefined ? String(value) : formatValue(value, unit)
}
