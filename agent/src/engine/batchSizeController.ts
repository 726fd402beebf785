/** Controls the batch size: the moving average of rows per second, times the seconds that a batch may hold its locks. */
export interface BatchSizeController {
  size(): number
  /** Reports a batch. Batches without rows are ignored. */
  observe(rows: number, seconds: number): void
  /** Changes the maximum size and the target duration. */
  tune(ceiling: number, targetSeconds: number): void
}

const EWMA_WEIGHT = 0.3
/** Limits of the change from batch to batch, since a single outlier is not the speed of the table. */
const MAX_GROWTH_FACTOR = 2
const MAX_SHRINK_FACTOR = 0.25

export function createBatchSizeController(start: number, ceiling: number, targetSeconds: number): BatchSizeController {
  let size = Math.min(start, ceiling)
  let meanRate: number | null = null
  /** The first batch of those that took longer than the target. */
  let slowestBatch: { rows: number; seconds: number } | null = null
  /** A smaller batch takes as long as this one: its cost is the commit, not the rows. */
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
      // A batch over the target is not averaged: the mean would let the next one hold its locks too long as well.
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
