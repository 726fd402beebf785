/** Rows per second over the last 10 seconds, including waits. */
export interface ThroughputMeter {
  add(rows: number): void
  /** Null before any time has passed. */
  perSecond(): number | null
}

const WINDOW_MS = 10_000

export function createThroughputMeter(now: () => number = () => performance.now()): ThroughputMeter {
  const started = now()
  let samples: { at: number; rows: number }[] = []
  return {
    add(rows) {
      samples.push({ at: now(), rows })
    },
    perSecond() {
      const current = now()
      samples = samples.filter((entry) => current - entry.at <= WINDOW_MS)
      const span = Math.min(WINDOW_MS, current - started)
      if (span <= 0) return null
      return (samples.reduce((sum, entry) => sum + entry.rows, 0) * 1000) / span
    },
  }
}
