import { parseExposition } from './exposition.ts'
import { boundedGet } from './fetch.ts'
import { poll, type Poll } from './poll.ts'
import type { Reading } from './reading.ts'
import { errorRatioOf } from './scrape.ts'
import type { ApiHistogram } from './watched.ts'
import { increases, type Increase, type Scrape } from './window.ts'

/** Requests of the application that ended within some seconds, counted by its histogram. */
export interface Requests {
  readonly seconds: number
  readonly all: number
  readonly failed: Reading<number>
  /** About how many took longer than this; null: no bucket of the histogram reaches so far. */
  slowerThan(seconds: number): number | null
}

/** The same requests over several spans of time, each up to now. */
export interface RecentRequests {
  /** At most so many seconds back. */
  last(seconds: number): Requests
}

export interface RequestsOptions {
  readonly source: ApiHistogram | undefined
  readonly now: () => number
}

const EVERY_MS = 500
const KEPT_MS = 60_000

/**
 * Reads the application's histogram twice a second, while anybody watches: for whoever has to act within seconds. Counts
 * of requests, and not a percentile of them, because only of counts can one tell whether noise explains them.
 */
export function recentRequests({ source, now }: RequestsOptions): Poll<Reading<RecentRequests>> {
  let scrapes: readonly Scrape[] = []
  return poll<Reading<RecentRequests>>({
    intervalMs: EVERY_MS,
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
      if (status !== 200) throw new Error(`${source.url} answered HTTP ${status}`)
      const at = now()
      const names = new Set(['_bucket', '_count'].map((suffix) => source.name + suffix))
      const samples = parseExposition(text, (name) => names.has(name))
      scrapes = [...scrapes.filter((scrape) => at - scrape.at <= KEPT_MS), { at, samples }]
      return recentOf(source, scrapes)
    },
  })
}

/** Pure. */
export function recentOf(source: ApiHistogram, scrapes: readonly Scrape[]): Reading<RecentRequests> {
  const { at, samples } = scrapes.at(-1)!
  if (samples.length === 0) return { unknown: `the metrics hold no histogram ${source.name}` }
  if (scrapes.length < 2) return { unknown: 'the first interval is not over yet' }
  const known = new Map<number, Requests>()
  return {
    at,
    value: {
      last(seconds) {
        const kept = known.get(seconds)
        if (kept) return kept
        const within = scrapes.filter((scrape) => at - scrape.at <= seconds * 1_000)
        const counted = countedOf(source, within.length > 1 ? within : scrapes.slice(-2))
        known.set(seconds, counted)
        return counted
      },
    },
  }
}

function countedOf(source: ApiHistogram, scrapes: readonly Scrape[]): Requests {
  const grown = increases(scrapes)
  const counts = grown.filter(({ name }) => name === `${source.name}_count`)
  const all = counts.reduce((sum, { increase }) => sum + increase, 0)
  const at = scrapes.at(-1)!.at
  const errors = errorRatioOf(counts, source, all, (ratio) => ({ value: ratio, at }))
  const bounds = cumulative(grown.filter(({ name }) => name === `${source.name}_bucket`))
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

/** Counts up to each bound; made monotonic, because a histogram that is scraped while it is written may fall. */
function cumulative(series: readonly Increase[]): { bound: number; count: number }[] {
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
