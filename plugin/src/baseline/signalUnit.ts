import { bytes, rows, share } from '../words/numbers'

const SECONDS = new Set(['api-latency-average', 'api-latency-p95', 'query-time', 'lock-wait', 'oldest-transaction'])

/** A reading of a signal in its unit; of one that the rollout file added the unit is not known. */
export function inSignalUnit(signal: string, value: number | null): string {
  if (value === null) return '–'
  if (SECONDS.has(signal)) return seconds(value)
  if (/^(api-error|buffer-hit)-ratio$|^host-(cpu|memory|disk)$|^connections$/.test(signal)) return share(value)
  if (signal === 'api-request-rate' || signal === 'host-disk-operations') return `${digits(value)} /s`
  if (signal === 'host-network') return `${bytes(value)}/s`
  if (signal === 'replication') return bytes(value)
  return Math.abs(value) >= 1000 ? rows(value) : digits(value)
}

/** Three digits that count, in a unit that suits them: a query takes microseconds. */
export function seconds(value: number): string {
  if (value === 0) return '0 s'
  if (value >= 1) return `${digits(value)} s`
  return value >= 0.001 ? `${digits(value * 1e3)} ms` : `${digits(value * 1e6)} µs`
}

const digits = (value: number) => String(Number(value.toPrecision(3)))
