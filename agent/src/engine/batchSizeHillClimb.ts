/**
 * Climbs on rows per second: a larger batch spreads the cost of its commit over more rows, and past some size costs more
 * than it spares (caches, and locks held for longer). Sizes are tried in powers of two; the smallest one that is within
 * three hundredths of the best rate is kept.
 */
export interface BatchSizeHillClimb {
  size(): number
  /** What a range of batches of about this size came to. */
  observe(size: number, rows: number, seconds: number): void
}

/** Ranges of a size before it is judged. */
const MIN_RANGES_PER_SIZE = 3
const MIN_SHARE_OF_BEST_RATE = 0.97
/** After so many ranges the next larger size is measured again. */
const REMEASURE_AFTER_RANGES = 100
/** What is left of a measurement with each new one. */
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
      // What was cut with another size, or held down by a bound, says nothing of this one.
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
        // The largest size so far is the best one: a larger one may be better still.
        currentStep = chosen === highest ? highest + 1 : chosen
      }
    },
  }
}
