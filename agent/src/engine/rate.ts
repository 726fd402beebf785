/** Rows per second over the last ten seconds, waiting included, from the first observation on. */
export interface Rate {
  add(rows: number): void
  perSecond(): number | null
}

const WINDOW_MS = 10_000

export function createRate(now: () => number = () => performance.now()): Rate {
  const started = now()
  let seen: { at: number; rows: number }[] = []
  return {
    add(rows) {
      seen.push({ at: now(), rows })
    },
    perSecond() {
      const at = now()
      seen = seen.filter((entry) => at - entry.at <= WINDOW_MS)
      const span = Math.min(WINDOW_MS, at - started)
      if (span <= 0) return null
      return (seen.reduce((sum, entry) => sum + entry.rows, 0) * 1000) / span
    },
  }
}
