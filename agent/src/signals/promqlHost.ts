import { unknownHost, type HostReadings } from './host.ts'
import { poll, type Poll } from './poll.ts'
import type { Directions } from './proc.ts'
import type { Prometheus } from './prometheus.ts'
import type { Reading } from './reading.ts'
import type { HostQueries } from './watched.ts'

export interface PromqlHostOptions {
  /** What the label `host` says: this is another machine than the agent's. */
  readonly name: string
  readonly queries: HostQueries
  readonly prometheus: Prometheus | null
  readonly intervalMs: number
  readonly now: () => number
}

/** The host of a managed database, as `host: { promql }` of the rollout file asks for it. */
export function promqlHost({ name, queries, prometheus, intervalMs, now }: PromqlHostOptions): Poll<HostReadings> {
  return poll<HostReadings>({ intervalMs, now, unknown: unknownHost(name), refresh })

  async function refresh(): Promise<HostReadings> {
    const at = now()
    if (!prometheus) return unknownHost(name)('the agent has no Prometheus: set STI_PROMETHEUS_URL')
    const [cpu, memory, disk, diskOperations, networkBytes] = await Promise.all([
      prometheus.one(queries.cpu, at),
      prometheus.one(queries.memory, at),
      prometheus.one(queries.disk, at),
      directions(prometheus, queries.diskOperations, ['read', 'write'], at),
      directions(prometheus, queries.network, ['receive', 'transmit'], at),
    ])
    return { host: name, cpu, memory, disk, diskOperations, networkBytes }
  }
}

async function directions(
  prometheus: Prometheus,
  promql: string,
  names: readonly string[],
  at: number,
): Promise<Reading<Directions>> {
  try {
    const found: Record<string, number> = {}
    for (const { labels, value } of await prometheus.all(promql)) found[labels['direction'] ?? ''] = value
    if (names.every((name) => Number.isFinite(found[name])) && Object.keys(found).length === names.length) {
      return { value: found, at }
    }
    return { unknown: `${promql} must give one series each for direction ${names.join(' and ')}` }
  } catch (error) {
    return { unknown: (error as Error).message }
  }
}
