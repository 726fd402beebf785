/** The increase of a histogram over a window: cumulative counts by upper bound, the last bound being Infinity. */
export type HistogramBuckets = ReadonlyMap<number, number>

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
