import type { PrometheusClient, QueryRange, TimedValue } from './prometheusClient.ts'
import type { MonitoredRollout } from './signalConfig.ts'

/** What Prometheus knows of a rollout's signals. */
export interface SignalHistory {
  /** The PromQL of each signal that can be asked for, by name. */
  queries(rollout: string, environment: string): ReadonlyMap<string, string>
  /** Throws with one sentence when Prometheus does not answer, or with more than one series. */
  readRange(promql: string, over: QueryRange): Promise<readonly TimedValue[]>
}

/** Where the rollout file asks in PromQL, that is asked; everything else is a series that the agents export. */
export function createSignalHistory(
  prometheus: PrometheusClient,
  rollouts: readonly MonitoredRollout[],
): SignalHistory {
  return {
    readRange: (promql, over) => prometheus.queryRange(promql, over),
    queries(name, environment) {
      const rollout = rollouts.find((candidate) => candidate.name === name)
      return new Map(rollout ? signalQueries(rollout, JSON.stringify(environment)) : [])
    },
  }
}

function signalQueries({ name, file }: MonitoredRollout, environment: string): [string, string][] {
  const ofRollout = `{environment=${environment},rollout=${JSON.stringify(name)}}`
  const ofEnvironment = `{environment=${environment}}`
  const customQueries = (file.signals ?? []).map(({ name: signal, promql, limit }): [string, string] => [
    signal,
    promql ??
      `max(sti_signal_limit_ratio{environment=${environment},rollout=${JSON.stringify(name)},signal=${JSON.stringify(signal)}}) * ${limit}`,
  ])
  const host = typeof file.host === 'object' ? file.host.promql : null
  const rate = (series: string): string => `sum(max by (host, direction) (rate(${series}${ofEnvironment}[1m])))`
  return [
    ...customQueries,
    ...apiQueries(file.api, ofRollout),
    ['query-time', `max(sti_database_query_seconds${ofEnvironment})`],
    ['lock-wait', `max(sti_database_lock_wait_seconds${ofEnvironment})`],
    ['buffer-hit-ratio', `min(sti_database_buffer_hit_ratio${ofEnvironment})`],
    ['oldest-transaction', `max(sti_oldest_transaction_seconds${ofEnvironment})`],
    [
      'connections',
      `sum(max by (state) (sti_database_connections${ofEnvironment})) / max(sti_database_connections_limit${ofEnvironment})`,
    ],
    ['replication', `max(sti_replication_lag_bytes${ofEnvironment})`],
    ['host-cpu', host?.cpu ?? `max(sti_host_cpu_ratio${ofEnvironment})`],
    ['host-memory', host?.memory ?? `max(sti_host_memory_ratio${ofEnvironment})`],
    ['host-disk', host?.disk ?? `max(sti_host_disk_used_ratio${ofEnvironment})`],
    [
      'host-disk-operations',
      host ? `sum(rate((${host.diskOperations})[1m:15s]))` : rate('sti_host_disk_operations_total'),
    ],
    ['host-network', host ? `sum(rate((${host.network})[1m:15s]))` : rate('sti_host_network_bytes_total')],
  ]
}

function apiQueries(api: MonitoredRollout['file']['api'], ofRollout: string): [string, string][] {
  if (!api) return []
  const configured = api.promql
  return [
    ['api-latency-average', configured?.latencyAverage ?? `max(sti_api_latency_average_seconds${ofRollout})`],
    ['api-latency-p95', configured?.latencyP95 ?? `max(sti_api_latency_p95_seconds${ofRollout})`],
    ['api-error-ratio', configured?.errorRatio ?? `max(sti_api_error_ratio${ofRollout})`],
    ['api-request-rate', configured?.requestRate ?? `max(sti_api_requests_per_second${ofRollout})`],
  ]
}
