import type { CheckResult } from '@sti-rollout/agent/contract'
import { bytes, duration, rows, share } from '../words/numbers'

/** How the numbers of a check are read. A check that is not named here counts something. */
const READ: Record<string, (value: number) => string> = {
  coverage: share,
  'api-latency-average': times,
  'api-latency-p95': times,
  'api-throughput': times,
  'api-error-ratio': share,
  'database-query-time': times,
  'database-query-time-each': times,
  'error-ratio': share,
  cpu: share,
  memory: share,
  disk: share,
  connections: share,
  bloat: share,
  'long-transactions': duration,
  'replication-lag': bytes,
}

/** A number that a check found, or the one that may be, in its unit. */
export function inUnit({ check, layer }: Pick<CheckResult, 'check' | 'layer'>, value: number | null): string {
  if (value === null) return '–'
  // Names of the business layer are the rollout file's own: rows against a rule, or the status of an answer.
  const read = layer === 'business' ? undefined : READ[check]
  return read ? read(value) : Number.isInteger(value) ? rows(value) : exact(value)
}

/** So many times what the baseline says. */
function times(value: number): string {
  return `${exact(value)} ×`
}

/** Three digits after the point, cut off: what is almost 1 is not 1. */
function exact(value: number): string {
  return String(Math.trunc(value * 1000) / 1000)
}
