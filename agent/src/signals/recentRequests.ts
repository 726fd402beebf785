import { displayUrl } from '../format/url.ts'
import { parseExposition } from './exposition.ts'
import { boundedGet } from '../boundedGet.ts'
import { createPoll, type Poll } from './poll.ts'
import { isKnown, type Reading } from './reading.ts'
import { countRequests, type WindowedRequests } from './requestCounts.ts'
import type { PrometheusClient } from './prometheusClient.ts'
import { onlyKnownSeries, scrapePromqlRequests } from './promqlRequests.ts'
import type { ApiHistogram, ApiQueries, ApiSource } from './signalConfig.ts'
import type { HistogramScrape } from './seriesIncrease.ts'
import { seenVariants, type Variant } from './seenVariants.ts'
import type { VariantBlock } from './variantBlock.ts'
import { computeVariantBlock } from './variantBlocks.ts'

/** Recent requests over several time spans, each up to now. */
export interface RecentRequests {
  /** At most this many seconds back. */
  countLast(seconds: number): WindowedRequests
  /** The variants of the flag that the histogram has. */
  readonly variants: ReadonlySet<Variant>
  /** The requests between any two scrapes by the variant of the flag, oldest first; empty without the label. */
  readonly variantBlocks: readonly VariantBlock[]
}

export interface RecentRequestsOptions {
  readonly source: ApiSource | undefined
  readonly prometheus: PrometheusClient | null
  readonly now: () => number
}

const SCRAPE_INTERVAL_MS = 500
const RETENTION_MS = 60_000

/** Prometheus scrapes less often; a query costs more than a scrape. */
const QUERY_INTERVAL_MS = 2_000

/** Reads the requests of the application while anybody watches: from its histogram, or with `api.promql.requests`. */
export function pollRecentRequests({ source, prometheus, now }: RecentRequestsOptions): Poll<Reading<RecentRequests>> {
  return source?.histogram === undefined
    ? pollQueriedRequests(source?.promql ?? {}, prometheus, now)
    : pollScrapedRequests(source.histogram, now)
}

/**
 * Reads the application's histogram twice a second while anybody watches, for decisions within seconds. It counts
 * requests rather than computing a percentile, because only counts can be tested against noise.
 */
function pollScrapedRequests(source: ApiHistogram, now: () => number): Poll<Reading<RecentRequests>> {
  let scrapes: readonly HistogramScrape[] = []
  let variantBlocks: readonly VariantBlock[] = []
  return createPoll<Reading<RecentRequests>>({
    intervalMs: SCRAPE_INTERVAL_MS,
    maximumAgeMs: 3_000,
    now,
    unknown: (sentence) => ({ unknown: sentence }),
    async refresh() {
      const { status, text } = await boundedGet(source.url, {
        milliseconds: 2_000,
        bytes: 1_000_000,
        headers: { accept: 'text/plain; version=0.0.4' },
      })
      if (status !== 200) throw new Error(`${displayUrl(source.url)} answered HTTP ${status}`)
      const at = now()
      const names = new Set(['_bucket', '_sum', '_count'].map((suffix) => source.name + suffix))
      const samples = parseExposition(text, (name) => names.has(name))
      scrapes = [...scrapes.filter((scrape) => at - scrape.at <= RETENTION_MS), { at, samples }]
      const [before, after] = scrapes.slice(-2)
      const block = after === undefined ? null : computeVariantBlock(source, before!, after)
      variantBlocks = recentBlocks(variantBlocks, block, at)
      return countRecentRequests(source, scrapes, variantBlocks)
    },
  })
}

/** A block lasts from one scrape of Prometheus to the next. */
function pollQueriedRequests(
  queries: Pick<ApiQueries, 'requests' | 'errors'>,
  prometheus: PrometheusClient | null,
  now: () => number,
): Poll<Reading<RecentRequests>> {
  let scrapes: readonly HistogramScrape[] = []
  let variantBlocks: readonly VariantBlock[] = []
  return createPoll<Reading<RecentRequests>>({
    intervalMs: QUERY_INTERVAL_MS,
    maximumAgeMs: 10_000,
    now,
    unknown: (sentence) => ({ unknown: sentence }),
    async refresh() {
      const at = now()
      const { source, scrape } = await scrapePromqlRequests(queries, prometheus, at)
      const before = scrapes.at(-1)
      const comparable = before === undefined ? scrape : onlyKnownSeries(before, scrape)
      const isComparable = comparable !== null && before !== undefined && at - before.at <= RETENTION_MS
      const block = isComparable ? computeVariantBlock(source, before, comparable) : null
      if (comparable !== null) scrapes = [...scrapes, scrape].slice(-2)
      variantBlocks = recentBlocks(variantBlocks, block, at)
      const requests = countRecentRequests(source, scrapes, variantBlocks)
      return isKnown(requests) ? { value: requests.value, at } : requests
    },
  })
}

/** The blocks that are not too old, with the new one; null: there is none. */
function recentBlocks(blocks: readonly VariantBlock[], block: VariantBlock | null, at: number): VariantBlock[] {
  return (block === null ? blocks : [...blocks, block]).filter(({ until }) => at - until <= RETENTION_MS)
}

/** Pure. */
export function countRecentRequests(
  source: ApiHistogram,
  scrapes: readonly HistogramScrape[],
  variantBlocks: readonly VariantBlock[],
): Reading<RecentRequests> {
  const { at, samples } = scrapes.at(-1)!
  if (samples.length === 0) return { unknown: `the metrics have no histogram ${source.name}` }
  if (scrapes.length < 2) return { unknown: 'the first interval is not over yet' }
  const cached = new Map<number, WindowedRequests>()
  return {
    at,
    value: {
      variants: seenVariants(source, scrapes.at(-1)!),
      variantBlocks,
      countLast(seconds) {
        const hit = cached.get(seconds)
        if (hit) return hit
        const within = scrapes.filter((scrape) => at - scrape.at <= seconds * 1_000)
        const counts = countRequests(source, within.length > 1 ? within : scrapes.slice(-2))
        cached.set(seconds, counts)
        return counts
      },
    },
  }
}
