import { createPoll, type Poll } from './poll.ts'
import type { PrometheusClient } from './prometheusClient.ts'
import {
  createApiScraper,
  durationVariation,
  toBuckets,
  unknownApiReadings,
  type ApiReadings,
  type IntervalListener,
} from './apiScraper.ts'
import { scrapePromqlRequests } from './promqlRequests.ts'
import { seenVariants } from './seenVariants.ts'
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
  const [latencyAverage, latencyP95, errorRatio, requestRate, byVariant] = await Promise.all([
    prometheus.queryOne(queries.latencyAverage, at),
    prometheus.queryOne(queries.latencyP95, at),
    prometheus.queryOne(queries.errorRatio, at),
    prometheus.queryOne(queries.requestRate, at),
    readVariants(queries, prometheus, at),
  ])
  const byQuery = { latencyAverage, latencyP95, errorRatio, requestRate, ...byVariant }
  return { ...unknownApiReadings('PromQL does not count requests'), ...byQuery }
}

/** Which variants Prometheus has, and how much durations vary since the processes started. */
async function readVariants(
  queries: ApiQueries,
  prometheus: PrometheusClient,
  at: number,
): Promise<Partial<Pick<ApiReadings, 'variants' | 'durationVariation'>>> {
  if (queries.requests === undefined) return {}
  try {
    const { source, scrape } = await scrapePromqlRequests(queries, prometheus, at)
    const buckets = scrape.samples.filter(({ name }) => name === `${source.name}_bucket`)
    const variation = durationVariation(toBuckets(buckets.map((sample) => ({ ...sample, increase: sample.value }))))
    return {
      variants: seenVariants(source, scrape),
      durationVariation: variation === null ? { unknown: 'no request has ended' } : { value: variation, at },
    }
  } catch (error) {
    // The same query is also watched while the flag is on, and its failure is unknown there.
    return { durationVariation: { unknown: (error as Error).message } }
  }
}
