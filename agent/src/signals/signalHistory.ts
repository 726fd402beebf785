import type { PrometheusClient, QueryRange, TimedValue } from './prometheusClient.ts'
import type { MonitoredRollout } from './signalConfig.ts'
import { historyQueries } from './signalTable.ts'

/** The past of a rollout's signals, from Prometheus. */
export interface SignalHistory {
  /** The PromQL of each signal that has one, by name. */
  queries(rollout: string, environment: string): ReadonlyMap<string, string>
  /** @throws Error with one sentence if Prometheus does not answer, or answers with more than one series */
  readRange(promql: string, over: QueryRange): Promise<readonly TimedValue[]>
}

/** Queries are the rollout file's own PromQL, or else select the series that the agents export. */
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
  const rollout = JSON.stringify(name)
  const customQueries = (file.signals ?? []).map(({ name: signal, promql, limit }): [string, string] => [
    signal,
    promql ??
      `max(sti_signal_limit_ratio{environment=${environment},rollout=${rollout},signal=${JSON.stringify(signal)}}) * ${limit}`,
  ])
  return [
    ...customQueries,
    ...historyQueries({
      api: file.api,
      host: typeof file.host === 'object' ? file.host.promql : null,
      rollout: `{environment=${environment},rollout=${rollout}}`,
      environment: `{environment=${environment}}`,
    }),
  ]
}
