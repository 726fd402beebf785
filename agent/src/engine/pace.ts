/**
 * How long to rest for each second of work while paced signals are above their limit, found by additive increase and
 * multiplicative decrease of the share of the time that is worked: half of it at each reading above the limit, a
 * twentieth more at each below.
 */
export interface Pace {
  /** Null: no signal is paced; undefined: it stays as it is until one is known again. */
  observe(overload: { readonly ratio: number; readonly at: number } | null | undefined): void
  /** Seconds to rest for each second of work. */
  restRatio(): number
}

const LEAST_SHARE = 0.05
const STEP = 0.05
/** A reading covers some seconds before it: what was halved is not halved again before it can be seen. */
const HALVED_MS = 5_000

export function createPace(): Pace {
  let share = 1
  let last: number | null = null
  let halvedAt = -Infinity
  return {
    observe(overload) {
      if (overload === null) share = 1
      if (!overload) return
      const { ratio, at } = overload
      if (at === last) return
      last = at
      if (ratio <= 1) share = Math.min(1, share + STEP)
      else if (at - halvedAt >= HALVED_MS) {
        share = Math.max(LEAST_SHARE, share / 2)
        halvedAt = at
      }
    },
    restRatio: () => 1 / share - 1,
  }
}
