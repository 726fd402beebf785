import { poll, type Poll } from './poll.ts'
import type { Prometheus } from './prometheus.ts'
import type { Reading } from './reading.ts'
import { scrapedApi, unknownApi, type Intervals } from './scrape.ts'
import type { ApiQueries, ApiSource } from './watched.ts'

/** Panel 2's four readings of the application: seconds, seconds, 0-1, requests per second. */
export interface ApiReadings {
  readonly latencyAverage: Reading<number>
  readonly latencyP95: Reading<number>
  readonly errorRatio: Reading<number>
  readonly requestRate: Reading<number>
}

export interface ApiOptions {
  readonly source: ApiSource | undefined
  readonly prometheus: Prometheus | null
  readonly intervalMs: number
  /** What the readings of a histogram are taken over; default 30 s. PromQL says its own. */
  readonly windowMs?: number
  readonly now: () => number
  /** Hears the readings of each interval; those of PromQL come as often as it is asked, and speak of its own time. */
  readonly intervals?: Intervals
}

export function apiReadings(options: ApiOptions): Poll<ApiReadings> {
  const { source, prometheus, intervalMs, windowMs, now, intervals } = options
  const refresh = source?.histogram
    ? scrapedApi(source.histogram, now, windowMs, intervals)
    : async () => {
        const readings = await queriedApi(source?.promql, prometheus, now())
        intervals?.onInterval(readings)
        return readings
      }
  return poll<ApiReadings>({ intervalMs, now, unknown: unknownApi, refresh })
}

async function queriedApi(
  queries: ApiQueries | undefined,
  prometheus: Prometheus | null,
  at: number,
): Promise<ApiReadings> {
  if (!queries) return unknownApi('the rollout file has no api')
  if (!prometheus) return unknownApi('the agent has no Prometheus: set STI_PROMETHEUS_URL')
  const [latencyAverage, latencyP95, errorRatio, requestRate] = await Promise.all([
    prometheus.one(queries.latencyAverage, at),
    prometheus.one(queries.latencyP95, at),
    prometheus.one(queries.errorRatio, at),
    prometheus.one(queries.requestRate, at),
  ])
  return { latencyAverage, latencyP95, errorRatio, requestRate }
}
