import { createClimb } from './climb.ts'

/**
 * Batch size by feedback: it climbs on rows per second, and not above what fits into the time a batch may hold its
 * locks: rows per second as an exponentially weighted mean, times that time. It reacts from the first batch on.
 * `ceiling` is the size a person asked for, or how far it may grow; equal to `start`, it does not climb.
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
  /** What fits into the time. */
  let fits = Math.min(start, ceiling)
  const climb = start < ceiling ? createClimb(start) : null
  let rate: number | null = null
  /** The batch from which on it has been too slow. */
  let slow: { rows: number; seconds: number } | null = null
  /** Below this a batch takes as long as above it: what it costs is the commit, not the rows. */
  let floor = { rows: 1, seconds: 0 }
  return {
    size: () => Math.max(1, Math.min(ceiling, fits, climb?.size() ?? ceiling)),
    observe(rows, seconds) {
      if (rows === 0 || seconds <= 0) return
      climb?.observe(rows, seconds)
      const measured = rows / seconds
      rate = rate === null ? measured : WEIGHT * measured + (1 - WEIGHT) * rate
      if (seconds <= targetSeconds) slow = null
      else if (slow === null || seconds > 2 * slow.seconds) slow = { rows, seconds }
      if (seconds > 2 * floor.seconds) floor = { rows: 1, seconds: 0 }
      if (slow !== null && rows * 1.5 <= slow.rows && seconds > 0.7 * slow.seconds) floor = slow
      // A batch over the bound counts as it was: the mean would let the next one hold its locks too long as well.
      const wanted = Math.max(floor.rows, (slow === null ? rate : measured) * targetSeconds)
      fits = Math.max(1, Math.round(Math.min(ceiling, fits * GROWTH, Math.max(fits * SHRINK, wanted))))
    },
    tune(newCeiling, newTarget) {
      ceiling = newCeiling
      targetSeconds = newTarget
      fits = Math.min(fits, ceiling)
    },
  }
}
