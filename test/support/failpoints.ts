import type { FailpointName } from '../../agent/src/kind/failpoints.ts'

/** Calls `then` when the agent arrives at this point for the nth time; the agent waits for it. */
export function onNthArrival(point: FailpointName, arrival: number, action: () => Promise<void>) {
  const counter = { arrivals: 0 }
  return {
    seen: counter,
    reached: async (reachedPoint: FailpointName): Promise<void> => {
      if (reachedPoint !== point) return
      if (++counter.arrivals === arrival) await action()
    },
  }
}
