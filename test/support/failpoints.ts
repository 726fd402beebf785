import type { FailpointName } from '../../agent/src/kind/failpoints.ts'

/** Runs the action when the agent reaches the failpoint for the nth time. The agent waits for the action. */
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
