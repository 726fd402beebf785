/**
 * Finds the batch size with the highest throughput. A larger batch spreads the cost of its commit over more rows, but
 * beyond some size it loses more than it gains (caches, locks held for longer). Sizes grow by powers of two; the smallest
 * size within 3% of the best rate is used.
 */
export interface BatchSizeHillClimb {
  size(): number
  /** Reports the cost of a range that was written in batches of about `size` rows. */
  observe(size: number, rows: number, seconds: number): void
}

/** Ranges of a size that are measured before it is compared. */
const MIN_RANGES_PER_SIZE = 3
const MIN_SHARE_OF_BEST_RATE = 0.97
/** The next larger size is measured again after this many ranges. */
const REMEASURE_AFTER_RANGES = 100
/** Weight of the earlier measurements of a size after a new one: 0 to 1. */
const MEASUREMENT_DECAY = 0.9

interface SizeMeasurement {
  rows: number
  seconds: number
  ranges: number
}

export function createBatchSizeHillClimb(start: number): BatchSizeHillClimb {
  const measurements = new Map<number, SizeMeasurement>()
  let currentStep = 0
  let rangesSinceRemeasure = 0
  const sizeOf = (step: number): number => Math.max(1, Math.round(start * 2 ** step))
  const rate = ({ rows, seconds }: SizeMeasurement): number => rows / seconds
  const isMeasured = ([, { ranges }]: [number, SizeMeasurement]): boolean => ranges >= MIN_RANGES_PER_SIZE
  const chooseStep = (): number => {
    const measured = [...measurements].filter(isMeasured)
    const best = Math.max(...measured.map(([, step]) => rate(step)))
    return Math.min(...measured.filter(([, step]) => rate(step) >= MIN_SHARE_OF_BEST_RATE * best).map(([step]) => step))
  }
  return {
    size: () => sizeOf(currentStep),
    observe(size, rows, seconds) {
      // A range of another size, or one that was limited, does not measure the current size.
      if (Math.abs(size / sizeOf(currentStep) - 1) > 0.2 || rows === 0 || seconds <= 0) return
      const step = measurements.get(currentStep) ?? { rows: 0, seconds: 0, ranges: 0 }
      measurements.set(currentStep, {
        rows: MEASUREMENT_DECAY * step.rows + rows,
        seconds: MEASUREMENT_DECAY * step.seconds + seconds,
        ranges: step.ranges + 1,
      })
      rangesSinceRemeasure++
      if (!isMeasured([currentStep, measurements.get(currentStep)!])) return
      const chosen = chooseStep()
      const highest = Math.max(...measurements.keys())
      if (rangesSinceRemeasure > REMEASURE_AFTER_RANGES) {
        rangesSinceRemeasure = 0
        measurements.delete(chosen + 1)
        currentStep = chosen + 1
      } else {
        // If the largest size so far is the best one, a larger one may be better still.
        currentStep = chosen === highest ? highest + 1 : chosen
      }
    },
  }
}
