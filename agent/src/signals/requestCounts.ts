import { compileLabelPattern } from '../rollout/labelPattern.ts'
import { ratio } from './ratio.ts'
import type { Reading } from './reading.ts'
import { computeIncreases, type SeriesIncrease, type HistogramScrape } from './seriesIncrease.ts'
import type { ApiHistogram } from './signalConfig.ts'

/** Application requests that ended within a time span, counted by the application's histogram. */
export interface WindowedRequests {
  readonly seconds: number
  readonly all: number
  readonly failed: Reading<number>
  /** Estimates how many took longer than this; null: no bucket of the histogram reaches that far. */
  slowerThan(seconds: number): number | null
}

/** Counts the requests between the first and the last scrape; `increases` are those of the scrapes. Pure. */
export function countRequests(
  source: ApiHistogram,
  scrapes: readonly HistogramScrape[],
  increases: readonly SeriesIncrease[] = computeIncreases(scrapes),
): WindowedRequests {
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

/** Failed requests / all requests, from the counts of a histogram. */
export function computeErrorRatio(
  counts: readonly SeriesIncrease[],
  source: ApiHistogram,
  requests: number,
  toReading: (value: number) => Reading<number>,
): Reading<number> {
  const missing = Object.keys(source.errors).find((name) => counts.every(({ labels }) => !(name in labels)))
  if (missing !== undefined)
    return { unknown: `${source.name} has no label ${missing}, so errors cannot be identified` }
  if (Object.keys(source.errors).length === 0) return { unknown: 'api.histogram.errors is empty' }
  const isFailed = createErrorMatcher(source)
  const failed = counts.filter(({ labels }) => isFailed(labels))
  return toReading(requests === 0 ? 0 : ratio(sumIncreases(failed), requests))
}

/** True for the labels of a series that counts failed requests. */
export function createErrorMatcher({ errors }: ApiHistogram): (labels: SeriesIncrease['labels']) => boolean {
  const matchers = Object.entries(errors).map(([label, pattern]) => ({ label, pattern: compileLabelPattern(pattern) }))
  return (labels) => matchers.every(({ label, pattern }) => pattern.matches(labels[label] ?? ''))
}

export function sumIncreases(series: readonly SeriesIncrease[]): number {
  return series.reduce((sum, { increase }) => sum + increase, 0)
}
