/**
 * How long to rest for each second of work while paced signals are above their limit, found by additive increase and
 * multiplicative decrease of the share of the time that is worked: half of it at each reading above the limit, a
 * twentieth more at each below.
 */
export interface Pacer {
  /** Null: no signal is paced; undefined: it stays as it is until one is known again. */
  observe(overload: { readonly ratio: number; readonly at: number } | null | undefined): void
  /** Seconds to rest for each second of work. */
  restRatio(): number
}

const MIN_WORK_SHARE = 0.05
const WORK_SHARE_INCREMENT = 0.05
/** A reading covers some seconds before it: what was halved is not halved again before it can be seen. */
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
