import { errorCode, isConnectionError, errorMessage } from '../database/errors.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { createInterval } from '../interval.ts'
import type { Log } from '../log.ts'
import type { RolloutReadings } from '../metrics/metricsSource.ts'
import type { Rollout } from '../rollout/rollout.ts'

export interface ReconcileLoop {
  start(): void
  stop(): Promise<void>
  /** As they were read last, each with its time: readings that are too old count as unknown. */
  readings(): readonly RolloutReadings[]
}

/** Reads every rollout each `seconds`, so that a scrape waits for nothing. */
export function createReconcileLoop(deps: {
  readonly rollouts: readonly Rollout[]
  readonly facts: (rollout: Rollout) => Promise<RolloutFacts>
  readonly read: (facts: RolloutFacts) => Promise<RolloutReadings>
  readonly log: Log
  readonly seconds: number
}): ReconcileLoop {
  const latestReadings = new Map<string, RolloutReadings>()

  const reconcileAll = async (): Promise<void> => {
    for (const rollout of deps.rollouts) {
      try {
        latestReadings.set(rollout.name, await deps.read(await deps.facts(rollout)))
      } catch (error) {
        // While the database is away there is nothing to say here: whoever watches it has said so.
        if (!isConnectionError(error) && errorCode(error) !== 'database-away')
          deps.log({
            level: 'warning',
            message: `rollout ${rollout.name} could not be read`,
            error: errorMessage(error),
          })
      }
    }
  }
  const interval = createInterval({ intervalMs: deps.seconds * 1000, run: reconcileAll })
  return {
    start: interval.start,
    stop: interval.stop,
    readings: () => [...latestReadings.values()],
  }
}
