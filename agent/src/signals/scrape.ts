import type { ApiReadings } from './api.ts'
import { parseExposition } from './exposition.ts'
import { boundedGet } from './fetch.ts'
import { quantile } from './histogram.ts'
import { ratio } from './ratio.ts'
import type { Reading } from './reading.ts'
import type { ApiHistogram } from './watched.ts'
import { increases, type Increase, type Scrape } from './window.ts'

const WINDOW_MS = 30_000

export interface Intervals {
  readonly intervalMs: number
  readonly onInterval: (readings: ApiReadings) => void
}

/**
 * Reads the application's own /metrics (2 s, 1 MB, no redirect) and keeps the last 30 s of the one histogram.
 * `onInterval` hears the readings of one interval after the other, of about `intervalMs` each however often it is read:
 * no two of them have a request in common, and so they can be compared with those of another time.
 */
export function scrapedApi(
  source: ApiHistogram,
  now: () => number,
  windowMs: number = WINDOW_MS,
  { intervalMs, onInterval }: Intervals = { intervalMs: Infinity, onInterval: () => undefined },
): () => Promise<ApiReadings> {
  const names = new Set(['_bucket', '_sum', '_count'].map((suffix) => source.name + suffix))
  let scrapes: readonly Scrape[] = []
  let interval: readonly Scrape[] = []
  return async () => {
    const { status, text } = await boundedGet(source.url, {
      milliseconds: 2_000,
      bytes: 1_000_000,
      headers: { accept: 'text/plain; version=0.0.4' },
    })
    if (status !== 200) throw new Error(`${source.url} answered HTTP ${status}`)
    const at = now()
    const samples = parseExposition(text, (name) => names.has(name))
    scrapes = [...scrapes.filter((scrape) => at - scrape.at <= windowMs), { at, samples }]
    const last = { at, samples }
    // What was missed for as long as the window is no interval.
    const began = interval[0] && at - interval[0].at <= windowMs ? interval : []
    interval = [...began, last]
    // A turn comes a little early or late.
    if (at - interval[0]!.at >= 0.9 * intervalMs) {
      onInterval(readingsOf(source, interval))
      interval = [last]
    }
    return readingsOf(source, scrapes)
  }
}

/** The four readings over the scrapes' time: pure. */
export function readingsOf(source: ApiHistogram, scrapes: readonly Scrape[]): ApiReadings {
  const [first, last] = [scrapes[0]!, scrapes.at(-1)!]
  if (last.samples.length === 0) return unknownApi(`the metrics hold no histogram ${source.name}`)
  const seconds = (last.at - first.at) / 1000
  if (seconds <= 0) return unknownApi('the first interval is not over yet')
  const grown = increases(scrapes)
  const of = (suffix: string): Increase[] => grown.filter(({ name }) => name === source.name + suffix)
  const requests = total(of('_count'))
  const known = (value: number): Reading<number> => ({ value, at: last.at })
  if (requests === 0) {
    return { ...unknownApi(`no request ended in the last ${Math.round(seconds)} s`), requestRate: known(0) }
  }
  const p95 = quantile(0.95, buckets(of('_bucket')))
  return {
    latencyAverage: known(total(of('_sum')) / requests),
    latencyP95: p95 === null ? { unknown: `${source.name} has no bucket +Inf` } : known(p95),
    errorRatio: errorRatioOf(of('_count'), source, requests, known),
    requestRate: known(requests / seconds),
  }
}

export function unknownApi(sentence: string): ApiReadings {
  const nothing = { unknown: sentence }
  return { latencyAverage: nothing, latencyP95: nothing, errorRatio: nothing, requestRate: nothing }
}

/** Failed requests / all of them, from the counts of a histogram. */
export function errorRatioOf(
  counts: readonly Increase[],
  source: ApiHistogram,
  requests: number,
  known: (value: number) => Reading<number>,
): Reading<number> {
  const matchers = Object.entries(source.errors).map(([label, pattern]) => ({
    label,
    is: new RegExp(`^(?:${pattern})$`),
  }))
  const missing = matchers.find(({ label }) => counts.every(({ labels }) => !(label in labels)))
  if (missing) return { unknown: `${source.name} has no label ${missing.label}: errors cannot be told` }
  if (matchers.length === 0) return { unknown: 'api.histogram.errors names no label' }
  const failed = counts.filter(({ labels }) => matchers.every(({ label, is }) => is.test(labels[label] ?? '')))
  return known(requests === 0 ? 0 : ratio(total(failed), requests))
}

function buckets(series: readonly Increase[]): Map<number, number> {
  const sums = new Map<number, number>()
  for (const { labels, increase } of series) {
    const bound = labels['le'] === '+Inf' ? Infinity : Number(labels['le'])
    sums.set(bound, (sums.get(bound) ?? 0) + increase)
  }
  return sums
}

function total(series: readonly Increase[]): number {
  return series.reduce((sum, { increase }) => sum + increase, 0)
}
