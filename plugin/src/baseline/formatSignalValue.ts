import { formatValue, type Unit } from '@sti-rollout/agent/format'

const UNIT_BY_SIGNAL: Readonly<Record<string, Unit>> = {
  'api-latency-average': 'seconds',
  'api-latency-p95': 'seconds',
  'query-time': 'seconds',
  'lock-wait': 'seconds',
  'oldest-transaction': 'seconds',
  'api-error-ratio': 'ratio',
  'buffer-hit-ratio': 'ratio',
  'host-cpu': 'ratio',
  'host-memory': 'ratio',
  'host-disk': 'ratio',
  connections: 'ratio',
  'api-request-rate': 'countPerSecond',
  'host-disk-operations': 'countPerSecond',
  'host-network': 'bytesPerSecond',
  replication: 'bytes',
}

/** A reading of a signal in the unit of the signal; a signal that the rollout file adds has no known unit. */
export function formatSignalValue(signal: string, value: number | null): string {
  return formatValue(value, UNIT_BY_SIGNAL[signal] ?? 'count')
}
