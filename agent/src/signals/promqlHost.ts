import { unknownHostReadings, type HostReadings } from './localHost.ts'
import { createPoll, type Poll } from './poll.ts'
import type { DirectionCounters } from './procfs.ts'
import type { PrometheusClient } from './prometheusClient.ts'
import type { Reading } from './reading.ts'
import type { HostQueries } from './signalConfig.ts'

export interface PromqlHostOptions {
  /** The value of the label `host`: this is not the agent's machine. */
  readonly name: string
  readonly queries: HostQueries
  readonly prometheus: PrometheusClient | null
  readonly intervalMs: number
  readonly now: () => number
}

/** The host of a managed database, from the queries in `host: { promql }` of the rollout file. */
export function pollPromqlHost({ name, queries, prometheus, intervalMs, now }: PromqlHostOptions): Poll<HostReadings> {
  return createPoll<HostReadings>({ intervalMs, now, unknown: unknownHostReadings(name), refresh })

  async function refresh(): Promise<HostReadings> {
    const at = now()
    if (!prometheus) return unknownHostReadings(name)('the agent has no Prometheus: set STI_PROMETHEUS_URL')
    const [cpu, memory, disk, diskOperations, networkBytes] = await Promise.all([
      prometheus.queryOne(queries.cpu, at),
      prometheus.queryOne(queries.memory, at),
      prometheus.queryOne(queries.disk, at),
      queryDirections(prometheus, queries.diskOperations, ['read', 'write'], at),
      queryDirections(prometheus, queries.network, ['receive', 'transmit'], at),
    ])
    return { host: name, cpu, memory, disk, diskOperations, networkBytes }
  }
}

async function queryDirections(
  prometheus: PrometheusClient,
  promql: string,
  names: readonly string[],
  at: number,
): Promise<Reading<DirectionCounters>> {
  try {
    const counters: Record<string, number> = {}
    for (const { labels, value } of await prometheus.queryAll(promql)) counters[labels['direction'] ?? ''] = value
    if (names.every((name) => Number.isFinite(counters[name])) && Object.keys(counters).length === names.length) {
      return { value: counters, at }
    }
    return { unknown: `${promql} must return one series each for direction ${names.join(' and ')}` }
  } catch (error) {
    return { unknown: (error as Error).message }
  }
}
