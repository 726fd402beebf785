import { formatBytes, formatCount, formatExactPercent } from '../format'

const SIGNALS_IN_SECONDS = new Set([
  'api-latency-average',
  'api-latency-p95',
  'query-time',
  'lock-wait',
  'oldest-transaction',
])

/** A reading of a signal in its unit; of one that the rollout file added the unit is not known. */
export function formatSignalValue(signal: string, value: number | null): string {
  if (value === null) return '–'
  if (SIGNALS_IN_SECONDS.has(signal)) return formatShortDuration(value)
  if (/^(api-error|buffer-hit)-ratio$|^host-(cpu|memory|disk)$|^connections$/.test(signal))
    return formatExactPercent(value)
  if (signal === 'api-request-rate' || signal === 'host-disk-operations') return `${toThreeDigits(value)} /s`
  if (signal === 'host-network') return `${formatBytes(value)}/s`
  if (signal === 'replication') return formatBytes(value)
  return Math.abs(value) >= 1000 ? formatCount(value) : toThreeDigits(value)
}

/** Three digits that count, in a unit that suits them: a query takes microseconds. */
export function formatShortDuration(value: number): string {
  if (value === 0) return '0 s'
  if (value >= 1) return `${toThreeDigits(value)} s`
  return value >= 0.001 ? `${toThreeDigits(value * 1e3)} ms` : `${toThreeDigits(value * 1e6)} µs`
}

const toThreeDigits = (value: number) => String(Number(value.toPrecision(3)))
