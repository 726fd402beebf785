import type { SignalBaseline } from '../contract/index.ts'
import { formatDuration } from '../format/format.ts'
import { computeBucketMeans, roundToFiveDigits, type TimeBuckets } from './timeBuckets.ts'
import { estimateMean } from './effectiveSampleSize.ts'
import { MIN_VALUES } from './ratioTest.ts'

/** A signal known for a smaller part of the time, from its first to its last reading, has no baseline. */
const MIN_SPAN_RATIO = 0.8

/** The stored summary of a signal; `missing` is the reason why nothing was read, if it is known. */
export function summarizeSignal(signal: string, blocks: TimeBuckets, missing: string | null): SignalBaseline {
  const values = computeBucketMeans(blocks)
  const known = values.filter((value) => value !== null)
  const samples = blocks.counts.reduce((sum, count) => sum + count, 0)
  const base = { signal, samples, stepSeconds: blocks.stepMs / 1000, values }
  const unknown =
    known.length < MIN_VALUES || computeSpanRatio(values) < MIN_SPAN_RATIO
      ? (missing ?? explainTooFewValues(values, blocks))
      : null
  const mean = estimateMean(values)
  if (unknown !== null || mean === null) {
    const emptyStatistics = { mean: null, standardDeviation: null, median: null, p95: null, maximum: null }
    return { ...base, ...emptyStatistics, unknown: unknown ?? 'nothing was read' }
  }
  const sorted = [...known].sort((a, b) => a - b)
  const quantile = (part: number): number => sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))]!
  return {
    ...base,
    mean: roundToFiveDigits(mean.mean),
    standardDeviation: roundToFiveDigits(Math.sqrt(mean.variance)),
    median: quantile(0.5),
    p95: quantile(0.95),
    maximum: sorted.at(-1)!,
    unknown: null,
  }
}

function computeSpanRatio(values: readonly (number | null)[]): number {
  const first = values.findIndex((value) => value !== null)
  const last = values.findLastIndex((value) => value !== null)
  return first < 0 ? 0 : (last - first + 1) / values.length
}

function explainTooFewValues(values: readonly (number | null)[], { stepMs }: TimeBuckets): string {
  const known = values.filter((value) => value !== null).length
  if (known === 0) return 'nothing was read'
  const [seconds, whole] = [(computeSpanRatio(values) * values.length * stepMs) / 1000, (values.length * stepMs) / 1000]
  return `too few readings: ${known} values over ${formatDuration(Math.round(seconds))} of ${formatDuration(Math.round(whole))}`
}
