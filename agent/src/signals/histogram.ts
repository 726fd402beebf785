/** Cumulative counts by upper bound, with the last bound Infinity: the change of a histogram over a window. */
export type HistogramBuckets = ReadonlyMap<number, number>

/**
 * The quantile as Prometheus' histogram_quantile gives it: linear within the bucket, the first one from 0, and the
 * highest finite bound when it falls in the last one. Null without observations or without a bucket +Inf.
 */
export function histogramQuantile(q: number, buckets: HistogramBuckets): number | null {
  const sorted = [...buckets].sort(([a], [b]) => a - b)
  if (sorted.length < 2 || sorted.at(-1)![0] !== Infinity) return null
  // Scraped while it was written, a histogram may fall for a moment: counts are made monotonic.
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
