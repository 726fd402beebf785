import type { Point } from '../../agent/src/engine/points.ts'

/** Calls `then` when the agent arrives at this point for the nth time; the agent waits for it. */
export function once(point: Point, arrival: number, then: () => Promise<void>) {
  const seen = { arrivals: 0 }
  return {
    seen,
    reached: async (at: Point): Promise<void> => {
      if (at !== point) return
      if (++seen.arrivals === arrival) await then()
    },
  }
}
