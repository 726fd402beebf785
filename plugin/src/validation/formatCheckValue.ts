import type { CheckResult } from '@sti-rollout/agent/contract'
import { formatBytes, formatDuration, formatCount, formatExactPercent } from '../format'

/** How the numbers of a check are read. A check that is not named here counts something. */
const FORMAT_BY_CHECK: Record<string, (value: number) => string> = {
  coverage: formatExactPercent,
  'api-latency-average': formatFactor,
  'api-latency-p95': formatFactor,
  'api-throughput': formatFactor,
  'api-error-ratio': formatExactPercent,
  'database-query-time': formatFactor,
  'database-query-time-each': formatFactor,
  'error-ratio': formatExactPercent,
  cpu: formatExactPercent,
  memory: formatExactPercent,
  disk: formatExactPercent,
  connections: formatExactPercent,
  bloat: formatExactPercent,
  'long-transactions': formatDuration,
  'replication-lag': formatBytes,
}

/** A number that a check found, or the one that may be, in its unit. */
export function formatCheckValue({ check, layer }: Pick<CheckResult, 'check' | 'layer'>, value: number | null): string {
  if (value === null) return '–'
  // Names of the business layer are the rollout file's own: rows against a rule, or the status of an answer.
  const formatter = layer === 'business' ? undefined : FORMAT_BY_CHECK[check]
  return formatter ? formatter(value) : Number.isInteger(value) ? formatCount(value) : truncateToThousandths(value)
}

/** So many times what the baseline says. */
function formatFactor(value: number): string {
  return `${truncateToThousandths(value)} ×`
}

/** Three digits after the point, cut off: what is almost 1 is not 1. */
function truncateToThousandths(value: number): string {
  return String(Math.trunc(value * 1000) / 1000)
}
