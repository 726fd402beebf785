import { displayUrl } from '../format/url.ts'
import { parseExposition } from './exposition.ts'
import { boundedGet } from '../boundedGet.ts'
import type { Reading } from './reading.ts'
import { computeErrorRatio, countRequests, sumIncreases, type WindowedRequests } from './requestCounts.ts'
import type { ApiHistogram } from './signalConfig.ts'
import { computeIncreases, type SeriesIncrease, type HistogramScrape } from './seriesIncrease.ts'
import { seenVariants, type Variant } from './seenVariants.ts'

const DEFAULT_WINDOW_MS = 30_000

/** The four readings of the application: seconds, seconds, a ratio of 0 to 1, requests per second. */
export interface ApiReadings extends ApiValues {
  /** The requests that they summarize; unknown with PromQL, which does not count them. */
  readonly counted: Reading<WindowedRequests>
  /** Standard deviation of a duration / its mean, from the buckets. */
  readonly durationVariation: Reading<number>
  /** The variants of the flag that requests are labelled with; empty with PromQL. */
  readonly variants: ReadonlySet<Variant>
}

export interface ApiValues {
  readonly latencyAverage: Reading<number>
  readonly latencyP95: Reading<number>
  readonly errorRatio: Reading<number>
  readonly requestRate: Reading<number>
}

export interface IntervalListener {
  readonly intervalMs: number
  readonly onInterval: (readings: ApiReadings) => void
}

/**
 * Reads the application's own /metrics (within 2 s and 1 MB, without redirects) and keeps the last 30 s of one histogram.
 * `onInterval` receives the readings of consecutive intervals of about `intervalMs`, however often it is read: no request
 * is counted in two intervals, so intervals of different times can be compared.
 */
export function createApiScraper(
  source: ApiHistogram,
  now: () => number,
  windowMs: number = DEFAULT_WINDOW_MS,
  { intervalMs, onInterval }: IntervalListener = { intervalMs: Infinity, onInterval: () => undefined },
): () => Promise<ApiReadings> {
  const names = new Set(['_bucket', '_sum', '_count'].map((suffix) => source.name + suffix))
  let scrapes: readonly HistogramScrape[] = []
  let interval: readonly HistogramScrape[] = []
  return async () => {
    const { status, text } = await boundedGet(source.url, {
      milliseconds: 2_000,
      bytes: 1_000_000,
      headers: { accept: 'text/plain; version=0.0.4' },
    })
    if (status !== 200) throw new Error(`${displayUrl(source.url)} answered HTTP ${status}`)
    const at = now()
    const samples = parseExposition(text, (name) => names.has(name))
    scrapes = [...scrapes.filter((scrape) => at - scrape.at <= windowMs), { at, samples }]
    const last = { at, samples }
    // A gap as long as the window is not an interval.
    const current = interval[0] && at - interval[0].at <= windowMs ? interval : []
    interval = [...current, last]
    // A poll may be slightly early or late.
    if (at - interval[0]!.at >= 0.9 * intervalMs) {
      onInterval(computeApiReadings(source, interval))
      interval = [last]
    }
    return computeApiReadings(source, scrapes)
  }
}

/** The four readings over the time of the scrapes. Pure. */
function computeApiReadings(source: ApiHistogram, scrapes: readonly HistogramScrape[]): ApiReadings {
  const [first, last] = [scrapes[0]!, scrapes.at(-1)!]
  if (last.samples.length === 0) return unknownApiReadings(`the metrics have no histogram ${source.name}`)
  const seconds = (last.at - first.at) / 1000
  if (seconds <= 0) return unknownApiReadings('the first interval is not over yet')
  const increases = computeIncreases(scrapes)
  const increasesOf = (suffix: string): SeriesIncrease[] =>
    increases.filter(({ name }) => name === source.name + suffix)
  const requests = sumIncreases(increasesOf('_count'))
  const variants = seenVariants(source, last)
  const toReading = (value: number): Reading<number> => ({ value, at: last.at })
  if (requests === 0) {
    const unknown = unknownApiReadings(`no request ended in the last ${Math.round(seconds)} s`)
    return { ...unknown, variants, requestRate: toReading(0) }
  }
  const buckets = toBuckets(increasesOf('_bucket'))
  const p95 = histogramQuantile(0.95, buckets)
  const variation = durationVariation(buckets)
  return {
    latencyAverage: toReading(sumIncreases(increasesOf('_sum')) / requests),
    latencyP95: p95 === null ? { unknown: `${source.name} has no +Inf bucket` } : toReading(p95),
    errorRatio: computeErrorRatio(increasesOf('_count'), source, requests, toReading),
    requestRate: toReading(requests / seconds),
    counted: { value: countRequests(source, scrapes, increases), at: last.at },
    durationVariation: variation === null ? { unknown: `${source.name} has too few buckets` } : toReading(variation),
    variants,
  }
}

export function unknownApiReadings(sentence: string): ApiReadings {
  const unknownReading = { unknown: sentence }
  return {
    latencyAverage: unknownReading,
    latencyP95: unknownReading,
    errorRatio: unknownReading,
    requestRate: unknownReading,
    counted: unknownReading,
    durationVariation: unknownReading,
    variants: new Set(),
  }
}

export function toBuckets(series: readonly SeriesIncrease[]): Map<number, number> {
  const sums = new Map<number, number>()
  for (const { labels, increase } of series) {
    const bound = labels['le'] === '+Inf' ? Infinity : Number(labels['le'])
    sums.set(bound, (sums.get(bound) ?? 0) + increase)
  }
  return sums
}

/** The standard deviation of the observations / their mean, each taken as the middle of its bucket. Null: none. */
export function durationVariation(buckets: HistogramBuckets): number | null {
  const sorted = [...buckets].sort(([a], [b]) => a - b)
  let [count, sum, squares, below, lower] = [0, 0, 0, 0, 0]
  for (const [bound, cumulative] of sorted) {
    const middle = bound === Infinity ? lower : (lower + bound) / 2
    const observations = Math.max(0, cumulative - below)
    count += observations
    sum += observations * middle
    squares += observations * middle ** 2
    below = Math.max(below, cumulative)
    lower = bound
  }
  if (count < 2 || sum === 0) return null
  const mean = sum / count
  return Math.sqrt(Math.max(0, squares / count - mean ** 2)) / mean
}

/** The increase of a histogram over a window: cumulative counts by upper bound, the last bound being Infinity. */
type HistogramBuckets = ReadonlyMap<number, number>

/**
 * The quantile as Prometheus computes it in histogram_quantile: linear within a bucket, the first one starting at 0, and
 * the highest finite bound for the last bucket. Null without observations or without a +Inf bucket.
 */
export function histogramQuantile(q: number, buckets: HistogramBuckets): number | null {
  const sorted = [...buckets].sort(([a], [b]) => a - b)
  if (sorted.length < 2 || sorted.at(-1)![0] !== Infinity) return null
  // A histogram that is scraped while it is written may decrease for a moment: counts are made monotonic.
  let highest = 0
  const bounds = sorted.map(([bound, count]) => ({ bound, count: (highest = Math.max(highest, count)) }))
  if (highest === 0) return null
  const rank = q * highest
  const index = bounds.findIndex(({ count }) => count >= rank)
  if (index === bounds.length - 1) return bounds.at(-2)!.bound
  const { bound, count } = bounds[index]!
  if (index === 0 && bound <= 0) return bound
  const start = index === 0 ? { bound: 0, count: 0 } : bounds[index - 1]!
  return start.bound + (bound - start.bound) * ((rank - start.count) / (count - start.count))
}
