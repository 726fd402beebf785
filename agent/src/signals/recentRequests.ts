import { displayUrl } from '../format/url.ts'
import { parseExposition } from './exposition.ts'
import { boundedGet } from './boundedGet.ts'
import { createPoll, type Poll } from './poll.ts'
import type { Reading } from './reading.ts'
import { computeErrorRatio } from './apiScraper.ts'
import type { ApiHistogram } from './signalConfig.ts'
import { computeIncreases, type SeriesIncrease, type HistogramScrape } from './seriesIncrease.ts'

/** Application requests that ended within a time span, counted by the application's histogram. */
export interface WindowedRequests {
  readonly seconds: number
  readonly all: number
  readonly failed: Reading<number>
  /** Estimates how many took longer than this; null: no bucket of the histogram reaches that far. */
  slowerThan(seconds: number): number | null
}

/** Recent requests over several time spans, each up to now. */
export interface RecentRequests {
  /** At most this many seconds back. */
  countLast(seconds: number): WindowedRequests
}

export interface RecentRequestsOptions {
  readonly source: ApiHistogram | undefined
  readonly now: () => number
}

const SCRAPE_INTERVAL_MS = 500
const RETENTION_MS = 60_000

/**
 * Reads the application's histogram twice a second while anybody watches, for decisions within seconds. It counts
 * requests rather than computing a percentile, because only counts can be tested against noise.
 */
export function pollRecentRequests({ source, now }: RecentRequestsOptions): Poll<Reading<RecentRequests>> {
  let scrapes: readonly HistogramScrape[] = []
  return createPoll<Reading<RecentRequests>>({
    intervalMs: SCRAPE_INTERVAL_MS,
    maximumAgeMs: 3_000,
    now,
    unknown: (sentence) => ({ unknown: sentence }),
    async refresh() {
      if (source === undefined) return { unknown: 'the rollout file has no api.histogram' }
      const { status, text } = await boundedGet(source.url, {
        milliseconds: 2_000,
        bytes: 1_000_000,
        headers: { accept: 'text/plain; version=0.0.4' },
      })
      if (status !== 200) throw new Error(`${displayUrl(source.url)} answered HTTP ${status}`)
      const at = now()
      const names = new Set(['_bucket', '_count'].map((suffix) => source.name + suffix))
      const samples = parseExposition(text, (name) => names.has(name))
      scrapes = [...scrapes.filter((scrape) => at - scrape.at <= RETENTION_MS), { at, samples }]
      return countRecentRequests(source, scrapes)
    },
  })
}

/** Pure. */
export function countRecentRequests(
  source: ApiHistogram,
  scrapes: readonly HistogramScrape[],
): Reading<RecentRequests> {
  const { at, samples } = scrapes.at(-1)!
  if (samples.length === 0) return { unknown: `the metrics have no histogram ${source.name}` }
  if (scrapes.length < 2) return { unknown: 'the first interval is not over yet' }
  const cached = new Map<number, WindowedRequests>()
  return {
    at,
    value: {
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

function countRequests(source: ApiHistogram, scrapes: readonly HistogramScrape[]): WindowedRequests {
  const increases = computeIncreases(scrapes)
  const countIncreases = increases.filter(({ name }) => name === `${source.name}_count`)
  const all = countIncreases.reduce((sum, { increase }) => sum + increase, 0)
  const at = scrapes.at(-1)!.at
  const errors = computeErrorRatio(countIncreases, source, all, (ratio) => ({ value: ratio, at }))
  const bounds = cumulativeBuckets(increases.filter(({ name }) => name === `${source.name}_bucket`))
  return {
    seconds: (at - scrapes[0]!.at) / 1_000,
    all,
    failed: 'unknown' in errors ? errors : { value: Math.round(errors.value * all), at },
    slowerThan(seconds) {
      const index = bounds.findIndex(({ bound }) => bound >= seconds)
      if (index === -1 || bounds[index]!.bound === Infinity) return null
      const upper = bounds[index]!
      const lower = index === 0 ? { bound: 0, count: 0 } : bounds[index - 1]!
      const share = upper.bound > lower.bound ? (seconds - lower.bound) / (upper.bound - lower.bound) : 1
      return Math.max(0, all - (lower.count + share * (upper.count - lower.count)))
    },
  }
}

/** Cumulative counts by bound, made monotonic: a histogram that is scraped while it is written may decrease. */
function cumulativeBuckets(series: readonly SeriesIncrease[]): { bound: number; count: number }[] {
  const sums = new Map<number, number>()
  for (const { labels, increase } of series) {
    const bound = labels['le'] === '+Inf' ? Infinity : Number(labels['le'])
    sums.set(bound, (sums.get(bound) ?? 0) + increase)
  }
  let highest = 0
  return [...sums]
    .sort(([a], [b]) => a - b)
    .map(([bound, count]) => ({ bound, count: (highest = Math.max(highest, count)) }))
}
