import type { CheckResult } from '@sti-rollout/agent/contract'
import { formatValue, type Unit } from '@sti-rollout/agent/format'

/** The units of the checks that do not count rows or objects. */
const UNIT_BY_CHECK: Readonly<Record<string, Unit>> = {
  coverage: 'ratio',
  'api-latency-average': 'multiple',
  'api-latency-p95': 'multiple',
  'api-throughput': 'multiple',
  'api-error-ratio': 'ratio',
  'database-query-time': 'multiple',
  'database-query-time-each': 'multiple',
  'error-ratio': 'ratio',
  cpu: 'ratio',
  memory: 'ratio',
  disk: 'ratio',
  connections: 'ratio',
  bloat: 'ratio',
  'long-transactions': 'seconds',
  'replication-lag': 'bytes',
}

/** The value or the limit of a check, in the unit of the check. */
export function formatCheckValue({ check, layer }: Pick<CheckResult, 'check' | 'layer'>, value: number | null): string {
  // The rollout file names the checks of the business layer, and their values are counts or HTTP status codes.
  return formatValue(value, (layer === 'business' ? undefined : UNIT_BY_CHECK[check]) ?? 'count')
}
