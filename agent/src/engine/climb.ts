/**
 * Climbs on rows per second: a larger batch spreads the cost of its commit over more rows, and past some size costs more
 * than it spares (caches, and locks held for longer). Sizes are tried in powers of two; the smallest one that is within
 * a twentieth of the best rate is kept.
 */
export interface Climb {
  size(): number
  observe(rows: number, seconds: number): void
}

/** Batches of a size before it is judged. */
const ENOUGH = 4
const WORTH = 0.95
/** After so many batches the sizes beside the chosen one are measured again. */
const STALE = 500
const WEIGHT = 0.2

interface Step {
  rate: number
  batches: number
}

export function createClimb(start: number): Climb {
  const steps = new Map<number, Step>()
  let current = 0
  let since = 0
  const sizeOf = (step: number): number => Math.max(1, Math.round(start * 2 ** step))
  const known = (step: number): boolean => (steps.get(step)?.batches ?? 0) >= ENOUGH
  const choose = (): number => {
    const measured = [...steps].filter(([step]) => known(step))
    const best = Math.max(...measured.map(([, { rate }]) => rate))
    return Math.min(...measured.filter(([, { rate }]) => rate >= WORTH * best).map(([step]) => step))
  }
  return {
    size: () => sizeOf(current),
    observe(rows, seconds) {
      // What came out much smaller or larger says nothing of this size.
      const size = sizeOf(current)
      if (rows < size * 0.6 || rows > size * 1.6 || seconds <= 0) return
      const step = steps.get(current) ?? { rate: rows / seconds, batches: 0 }
      steps.set(current, { rate: step.rate + WEIGHT * (rows / seconds - step.rate), batches: step.batches + 1 })
      since++
      if (!known(current)) return
      const chosen = choose()
      const highest = Math.max(...steps.keys())
      // The largest size so far is the best one: a larger one may be better still.
      if (chosen === highest) current = highest + 1
      else current = chosen
      if (since > STALE) {
        since = 0
        for (const beside of [chosen - 1, chosen + 1]) steps.delete(beside)
        current = chosen + 1
      }
    },
  }
}
