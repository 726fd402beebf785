/**
 * Climbs on rows per second: a larger batch spreads the cost of its commit over more rows, and past some size costs more
 * than it spares (caches, and locks held for longer). Sizes are tried in powers of two; the smallest one that is within
 * three hundredths of the best rate is kept.
 */
export interface Climb {
  size(): number
  /** What a range of batches of about this size came to. */
  observe(size: number, rows: number, seconds: number): void
}

/** Ranges of a size before it is judged. */
const ENOUGH = 3
const WORTH = 0.97
/** After so many ranges the next larger size is measured again. */
const STALE = 100
/** What is left of a measurement with each new one. */
const FADES = 0.9

interface Step {
  rows: number
  seconds: number
  ranges: number
}

export function createClimb(start: number): Climb {
  const steps = new Map<number, Step>()
  let current = 0
  let since = 0
  const sizeOf = (step: number): number => Math.max(1, Math.round(start * 2 ** step))
  const rate = ({ rows, seconds }: Step): number => rows / seconds
  const known = ([, { ranges }]: [number, Step]): boolean => ranges >= ENOUGH
  const choose = (): number => {
    const measured = [...steps].filter(known)
    const best = Math.max(...measured.map(([, step]) => rate(step)))
    return Math.min(...measured.filter(([, step]) => rate(step) >= WORTH * best).map(([step]) => step))
  }
  return {
    size: () => sizeOf(current),
    observe(size, rows, seconds) {
      // What was cut with another size, or held down by a bound, says nothing of this one.
      if (Math.abs(size / sizeOf(current) - 1) > 0.2 || rows === 0 || seconds <= 0) return
      const step = steps.get(current) ?? { rows: 0, seconds: 0, ranges: 0 }
      steps.set(current, {
        rows: FADES * step.rows + rows,
        seconds: FADES * step.seconds + seconds,
        ranges: step.ranges + 1,
      })
      since++
      if (!known([current, steps.get(current)!])) return
      const chosen = choose()
      const highest = Math.max(...steps.keys())
      if (since > STALE) {
        since = 0
        steps.delete(chosen + 1)
        current = chosen + 1
      } else {
        // The largest size so far is the best one: a larger one may be better still.
        current = chosen === highest ? highest + 1 : chosen
      }
    },
  }
}
