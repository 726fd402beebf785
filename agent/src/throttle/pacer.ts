/**
 * How long to rest per second of work while paced signals are above their limit. Additive increase and multiplicative
 * decrease of the share of time spent working: halved at each reading above the limit, 5% more at each reading below.
 */
export interface Pacer {
  /** Null: no signal is paced; undefined: none is known now, so nothing changes. */
  observe(overload: { readonly ratio: number; readonly at: number } | null | undefined): void
  /** Seconds of rest per second of work. */
  restRatio(): number
}

const MIN_WORK_SHARE = 0.05
const WORK_SHARE_INCREMENT = 0.05
/** A reading covers several seconds: the share is not halved again before the last halving shows in it. */
const MIN_HALVING_INTERVAL_MS = 5_000

export function createPacer(): Pacer {
  let workShare = 1
  let lastReadingAt: number | null = null
  let halvedAt = -Infinity
  return {
    observe(overload) {
      if (overload === null) workShare = 1
      if (!overload) return
      const { ratio, at } = overload
      if (at === lastReadingAt) return
      lastReadingAt = at
      if (ratio <= 1) workShare = Math.min(1, workShare + WORK_SHARE_INCREMENT)
      else if (at - halvedAt >= MIN_HALVING_INTERVAL_MS) {
        workShare = Math.max(MIN_WORK_SHARE, workShare / 2)
        halvedAt = at
      }
    },
    restRatio: () => 1 / workShare - 1,
  }
}
