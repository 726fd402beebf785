import { computeErrorRatio, createErrorMatcher, sumIncreases } from './requestCounts.ts'
import { computeIncreases, type HistogramScrape, type SeriesIncrease } from './seriesIncrease.ts'
import type { ApiHistogram } from './signalConfig.ts'
import { seenVariants, type Variant } from './seenVariants.ts'
import type { VariantBlock, VariantCounts } from './variantBlock.ts'

/** The requests of both variants between two scrapes. Null: the histogram has the label of neither variant. */
export function computeVariantBlock(
  source: ApiHistogram,
  before: HistogramScrape,
  after: HistogramScrape,
): VariantBlock | null {
  if (seenVariants(source, after).size === 0) return null
  const increases = computeIncreases([before, after])
  const ofVariant = (variant: Variant): SeriesIncrease[] =>
    increases.filter(({ labels }) => labels[source.variant] === variant)
  const [on, off] = [ofVariant('on'), ofVariant('off')]
  const bounds = finiteBounds(source, [...on, ...off])
  const counts = [...on, ...off].filter(({ name }) => name === `${source.name}_count`)
  // As a whole, so that a label which only failed requests have is known to both variants.
  const errors = computeErrorRatio(counts, source, sumIncreases(counts), (value) => ({ value, at: after.at }))
  const isFailed = createErrorMatcher(source)
  const countVariant = (series: readonly SeriesIncrease[]): VariantCounts =>
    countRequests(source, series, bounds, isFailed)
  return {
    from: before.at,
    until: after.at,
    bounds,
    errorsUnknown: 'unknown' in errors ? errors.unknown : null,
    on: countVariant(on),
    off: countVariant(off),
  }
}

function countRequests(
  { name: histogram }: ApiHistogram,
  series: readonly SeriesIncrease[],
  bounds: readonly number[],
  isFailed: ReturnType<typeof createErrorMatcher>,
): VariantCounts {
  const counts = series.filter(({ name }) => name === `${histogram}_count`)
  const all = sumIncreases(counts)
  const atMost = new Map<number, number>()
  for (const { name, labels, increase } of series) {
    const bound = Number(labels['le'])
    if (name === `${histogram}_bucket`) atMost.set(bound, (atMost.get(bound) ?? 0) + increase)
  }
  return {
    all,
    failed: sumIncreases(counts.filter(({ labels }) => isFailed(labels))),
    seconds: sumIncreases(series.filter(({ name }) => name === `${histogram}_sum`)),
    // A histogram that is scraped while it is written may have a bucket that is ahead of the count.
    slower: bounds.map((bound) => Math.max(0, all - (atMost.get(bound) ?? 0))),
  }
}

function finiteBounds({ name }: ApiHistogram, series: readonly SeriesIncrease[]): number[] {
  const bounds = series
    .filter((candidate) => candidate.name === `${name}_bucket`)
    .map(({ labels }) => Number(labels['le']))
  return [...new Set(bounds)].filter((bound) => Number.isFinite(bound)).sort((a, b) => a - b)
}
