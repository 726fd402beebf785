import { errorCode, isConnectionError, errorMessage } from '../database/errors.ts'
import { createInterval } from '../interval.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { Log } from '../log.ts'
import type { RolloutReadings } from '../metrics/metricsSource.ts'
import type { Rollout } from '../rollout/rollout.ts'

export const RECONCILE_INTERVAL_SECONDS = 2

export interface ReconcileLoop {
  start(): void
  stop(): Promise<void>
  /** The latest readings of each rollout, with their time: metrics treat old readings as unknown. */
  readings(): readonly RolloutReadings[]
}

/** Reconciles every rollout every RECONCILE_INTERVAL_SECONDS, so that a scrape never waits for the database. */
export function createReconcileLoop(deps: {
  readonly rollouts: readonly Rollout[]
  readonly readFacts: (rollout: Rollout) => Promise<RolloutFacts>
  readonly reconcile: (facts: RolloutFacts) => Promise<RolloutReadings>
  readonly log: Log
}): ReconcileLoop {
  const latestReadings = new Map<string, RolloutReadings>()
  const reconcileAll = async (): Promise<void> => {
    for (const rollout of deps.rollouts) {
      try {
        latestReadings.set(rollout.name, await deps.reconcile(await deps.readFacts(rollout)))
      } catch (error) {
        // The database monitor logs an unavailable database.
        if (!isConnectionError(error) && errorCode(error) !== 'database-away')
          deps.log({
            level: 'warning',
            message: `Rollout ${rollout.name} could not be reconciled.`,
            error: errorMessage(error),
          })
      }
    }
  }
  const { start, stop } = createInterval({
    intervalMs: RECONCILE_INTERVAL_SECONDS * 1000,
    run: reconcileAll,
    onError: (error) =>
      deps.log({ level: 'warning', message: 'The rollouts could not be reconciled.', error: errorMessage(error) }),
  })
  return { start, stop, readings: () => [...latestReadings.values()] }
}
