import type { BaselineComparison, BaselineSummary, Compared } from '../contract/index.ts'
import { bytes, duration, percent, since } from './numbers.ts'
import { columns } from './text.ts'

export const baselineHead = ['ID', 'MEASURED', 'FROM', 'FOR', 'RELEASE', 'ENVIRONMENT', 'SIGNALS', 'USABLE']

export function baselineRow(baseline: BaselineSummary): string[] {
  return [
    String(baseline.id),
    baseline.source === 'import' ? `${baseline.measured}, imported` : baseline.measured,
    baseline.startedAt.slice(0, 19).replace('T', ' '),
    duration(since(baseline.startedAt, baseline.endedAt)),
    baseline.release ?? '-',
    baseline.environment,
    String(baseline.signals.filter(({ unknown }) => unknown === null).length),
    baseline.unusable[0] ?? 'yes',
  ]
}

export function baselineLines(baseline: BaselineSummary): string[] {
  const { signals, startedAt, endedAt, release } = baseline
  const rows = signals.map((one) =>
    one.mean === null
      ? [one.signal, 'unknown', '', '', one.unknown ?? '']
      : [one.signal, ...[one.mean, one.p95!, one.maximum!].map((value) => inUnit(one.signal, value)), `${one.samples}`],
  )
  return [
    `baseline ${baseline.id}${release === null ? '' : ` of ${release}`}: ${duration(since(startedAt, endedAt))} until ${endedAt}, ${baseline.measured}, ${baseline.queries} queries`,
    ...columns([['SIGNAL', 'MEAN', 'P95', 'MAXIMUM', 'READINGS'], ...rows]),
    ...baseline.notes.map((note) => `note: ${note}`),
    ...baseline.warnings.map((warning) => `warning: ${warning}`),
    ...baseline.unusable.map((reason) => `not to be judged by: ${reason}`),
  ]
}

const SHOWN_QUERIES = 10

export function comparisonLines({
  baseline,
  from,
  until,
  verdict,
  signals,
  queries,
  notes,
}: BaselineComparison): string[] {
  const rows = [...signals, ...queries.slice(0, SHOWN_QUERIES)].map((one) => [
    one.verdict ?? '-',
    one.name.replace(/\s+/g, ' ').slice(0, 60),
    ...[one.baseline, one.now].map((value) => (value === null ? '-' : inUnit(unitOf(one, signals), value))),
    one.ratio === null ? '-' : one.ratio.toFixed(3),
    one.detail,
  ])
  return [
    `now (the last ${duration(since(from, until))}) against baseline ${baseline.id} of ${baseline.endedAt}`,
    ...columns([['VERDICT', 'WHAT', 'BASELINE', 'NOW', 'RATIO', 'DETAIL'], ...rows]),
    ...(queries.length > SHOWN_QUERIES ? [`… and ${queries.length - SHOWN_QUERIES} more queries`] : []),
    ...notes,
    `compared: ${verdict}`,
  ]
}

/** A query is time, as the signal of all queries is. */
const unitOf = (one: Compared, signals: readonly Compared[]): string =>
  signals.includes(one) ? one.name : 'query-time'

const RATIOS = new Set(['api-error-ratio', 'buffer-hit-ratio', 'connections', 'host-cpu', 'host-memory', 'host-disk'])
const SECONDS = new Set(['api-latency-average', 'api-latency-p95', 'query-time', 'lock-wait', 'oldest-transaction'])
const PER_SECOND = new Set(['api-request-rate', 'host-disk-operations'])

function inUnit(signal: string, value: number): string {
  if (RATIOS.has(signal)) return percent(value)
  if (SECONDS.has(signal)) return value > 0 && value < 0.01 ? `${(value * 1000).toFixed(3)} ms` : duration(value)
  if (PER_SECOND.has(signal)) return `${value.toFixed(1)}/s`
  if (signal === 'host-network') return `${bytes(value)}/s`
  return signal === 'replication' ? bytes(value) : String(value)
}
