/**
 * Batch size by feedback: rows per second as an exponentially weighted mean, times the time a batch may hold its
 * locks. It reacts from the first batch on. `ceiling` is the size a person asked for, or how far it may grow.
 */
export interface BatchSizeController {
  size(): number
  observe(rows: number, seconds: number): void
  tune(ceiling: number, targetSeconds: number): void
}

const EWMA_WEIGHT = 0.3
/** One batch never more than doubles or falls below a quarter of the last: a single outlier is not the table's speed. */
const MAX_GROWTH_FACTOR = 2
const MAX_SHRINK_FACTOR = 0.25

export function createBatchSizeController(start: number, ceiling: number, targetSeconds: number): BatchSizeController {
  let size = Math.min(start, ceiling)
  let meanRate: number | null = null
  /** The batch from which on it has been too slow. */
  let slowestBatch: { rows: number; seconds: number } | null = null
  /** Below this a batch takes as long as above it: what it costs is the commit, not the rows. */
  let commitBound = { rows: 1, seconds: 0 }
  return {
    size: () => size,
    observe(rows, seconds) {
      if (rows === 0 || seconds <= 0) return
      const batchRate = rows / seconds
      meanRate = meanRate === null ? batchRate : EWMA_WEIGHT * batchRate + (1 - EWMA_WEIGHT) * meanRate
      if (seconds <= targetSeconds) slowestBatch = null
      else if (slowestBatch === null || seconds > 2 * slowestBatch.seconds) slowestBatch = { rows, seconds }
      if (seconds > 2 * commitBound.seconds) commitBound = { rows: 1, seconds: 0 }
      if (slowestBatch !== null && rows * 1.5 <= slowestBatch.rows && seconds > 0.7 * slowestBatch.seconds)
        commitBound = slowestBatch
      // A batch over the bound counts as it was: the mean would let the next one hold its locks too long as well.
      const targetSize = Math.max(commitBound.rows, (slowestBatch === null ? meanRate : batchRate) * targetSeconds)
      size = Math.max(
        1,
        Math.round(Math.min(ceiling, size * MAX_GROWTH_FACTOR, Math.max(size * MAX_SHRINK_FACTOR, targetSize))),
      )
    },
    tune(newCeiling, newTarget) {
      ceiling = newCeiling
      targetSeconds = newTarget
      size = Math.min(size, ceiling)
    },
  }
}
