import { createPoll, type Poll } from './poll.ts'
import type { PrometheusClient } from './prometheusClient.ts'
import { createApiScraper, unknownApiReadings, type ApiReadings, type IntervalListener } from './apiScraper.ts'
import type { ApiQueries, ApiSource } from './signalConfig.ts'

export interface ApiReadingsOptions {
  readonly source: ApiSource | undefined
  readonly prometheus: PrometheusClient | null
  readonly intervalMs: number
  /** The window of the readings of a histogram; default 30 s. PromQL sets its own. */
  readonly windowMs?: number
  readonly now: () => number
  /** Receives the readings of each interval; readings by PromQL arrive at every poll, over the window of the query. */
  readonly intervalListener?: IntervalListener
}

export function pollApiReadings(options: ApiReadingsOptions): Poll<ApiReadings> {
  const { source, prometheus, intervalMs, windowMs, now, intervalListener } = options
  const refresh = source?.histogram
    ? createApiScraper(source.histogram, now, windowMs, intervalListener)
    : async () => {
        const readings = await queryApi(source?.promql, prometheus, now())
        intervalListener?.onInterval(readings)
        return readings
      }
  return createPoll<ApiReadings>({ intervalMs, now, unknown: unknownApiReadings, refresh })
}

async function queryApi(
  queries: ApiQueries | undefined,
  prometheus: PrometheusClient | null,
  at: number,
): Promise<ApiReadings> {
  if (!queries) return unknownApiReadings('the rollout file has no api')
  if (!prometheus) return unknownApiReadings('the agent has no Prometheus: set STI_PROMETHEUS_URL')
  const [latencyAverage, latencyP95, errorRatio, requestRate] = await Promise.all([
    prometheus.queryOne(queries.latencyAverage, at),
    prometheus.queryOne(queries.latencyP95, at),
    prometheus.queryOne(queries.errorRatio, at),
    prometheus.queryOne(queries.requestRate, at),
  ])
  const byQuery = { latencyAverage, latencyP95, errorRatio, requestRate }
  return { ...unknownApiReadings('PromQL does not count requests'), ...byQuery }
}
