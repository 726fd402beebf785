import type { BatchSizeController } from './batchSizeController.ts'

/** Also tells if the size is still on its way up. */
export interface ShardBatchSize extends BatchSizeController {
  /** True until a batch was not followed by one of twice its size: the size is not that of the table yet. */
  isGrowing(): boolean
}

/** Weight of all earlier batches after a new one: 0 to 1. */
const DECAY = 0.9
/** A batch aims at this share of the time that it may take, since it ends when its slowest node has ended. */
const TIME_SHARE = 0.7
/** If planning and commit alone take longer, rows still get this share of the time: batches of single rows would never end. */
const MIN_ROWS_TIME_SHARE = 0.5
const MAX_GROWTH_FACTOR = 2
const MAX_SHRINK_FACTOR = 0.5
/** Batches whose sizes differ less, as a share of their mean, do not show what a row costs. */
const MIN_SIZE_SPREAD = 0.1

/**
 * Controls the size of batches in shards of Citus. Planning a batch for each shard and committing it on each node takes tens
 * of milliseconds, whatever its rows: rows per second of a small batch say nothing about a large one. So the time of a batch
 * is fitted to a line over its rows, and the rows get the time that is left.
 */
export function createShardBatchSize(start: number, ceiling: number, maximumSeconds: number): ShardBatchSize {
  let targetSeconds = TIME_SHARE * maximumSeconds
  let size = Math.min(start, ceiling)
  let growing = true
  let sums = { weight: 0, rows: 0, seconds: 0, squares: 0, products: 0 }
  /** Rows that fit into the time; null: the batches so far do not show it. */
  const fittingRows = (): number | null => {
    const [rows, seconds] = [sums.rows / sums.weight, sums.seconds / sums.weight]
    const variance = sums.squares / sums.weight - rows * rows
    if (variance < (MIN_SIZE_SPREAD * rows) ** 2) return (rows * targetSeconds) / seconds
    const secondsPerRow = (sums.products / sums.weight - rows * seconds) / variance
    if (secondsPerRow <= 0) return null
    const fixedSeconds = Math.max(0, seconds - secondsPerRow * rows)
    return Math.max(targetSeconds - fixedSeconds, MIN_ROWS_TIME_SHARE * targetSeconds) / secondsPerRow
  }
  return {
    size: () => size,
    isGrowing: () => growing,
    observe(rows, seconds) {
      if (rows === 0 || seconds <= 0) return
      sums = {
        weight: DECAY * sums.weight + 1,
        rows: DECAY * sums.rows + rows,
        seconds: DECAY * sums.seconds + seconds,
        squares: DECAY * sums.squares + rows * rows,
        products: DECAY * sums.products + rows * seconds,
      }
      const largest = Math.min(ceiling, size * MAX_GROWTH_FACTOR)
      const wanted = fittingRows() ?? size
      growing &&= wanted > size * MAX_GROWTH_FACTOR && ceiling > size * MAX_GROWTH_FACTOR
      size = Math.max(1, Math.round(Math.min(largest, Math.max(size * MAX_SHRINK_FACTOR, wanted))))
    },
    tune(newCeiling, newMaximumSeconds) {
      ceiling = newCeiling
      targetSeconds = TIME_SHARE * newMaximumSeconds
      size = Math.min(size, ceiling)
    },
  }
}
