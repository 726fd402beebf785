/**
 * Batch size by feedback: rows per second as an exponentially weighted mean, times the time a batch may hold its
 * locks. It reacts from the first batch on. `ceiling` is the size a person asked for, or how far it may grow.
 */
export interface Feedback {
  size(): number
  observe(rows: number, seconds: number): void
  tune(ceiling: number, targetSeconds: number): void
}

const WEIGHT = 0.3
/** One batch never more than doubles or falls below a quarter of the last: a single outlier is not the table's speed. */
const GROWTH = 2
const SHRINK = 0.25

export function createFeedback(start: number, ceiling: number, targetSeconds: number): Feedback {
  let size = Math.min(start, ceiling)
  let rate: number | null = null
  /** The batch from which on it has been too slow. */
  let slow: { rows: number; seconds: number } | null = null
  /** Below this a batch takes as long as above it: what it costs is the commit, not the rows. */
  let floor = { rows: 1, seconds: 0 }
  return {
    size: () => size,
    observe(rows, seconds) {
      if (rows === 0 || seconds <= 0) return
      const measured = rows / seconds
      rate = rate === null ? measured : WEIGHT * measured + (1 - WEIGHT) * rate
      if (seconds <= targetSeconds) slow = null
      else if (slow === null || seconds > 2 * slow.seconds) slow = { rows, seconds }
      if (seconds > 2 * floor.seconds) floor = { rows: 1, seconds: 0 }
      if (slow !== null && rows * 1.5 <= slow.rows && seconds > 0.7 * slow.seconds) floor = slow
      // A batch over the bound counts as it was: the mean would let the next one hold its locks too long as well.
      const wanted = Math.max(floor.rows, (slow === null ? rate : measured) * targetSeconds)
      size = Math.max(1, Math.round(Math.min(ceiling, size * GROWTH, Math.max(size * SHRINK, wanted))))
    },
    tune(newCeiling, newTarget) {
      ceiling = newCeiling
      targetSeconds = newTarget
      size = Math.min(size, ceiling)
    },
  }
}
