import type { FlagStatus } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { Flags } from '../flag/flags.ts'
import { errorMessage } from '../database/errors.ts'
import { createInterval } from '../interval.ts'
import type { Log } from '../log.ts'
import type { RolloutReadings } from '../metrics/metricsSource.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { Signals } from '../signals/signals.ts'
import { createDecisionExecutor } from './decisionExecutor.ts'
import { createWriteQueue } from './writeQueue.ts'
import { createGuard } from './guard.ts'
import type { RollbackPauseCache } from './rollbackPauseCache.ts'
import { createAlertQueue, type AlertQueue } from './alertQueue.ts'
import type { AlertWatchdog } from './watchdog.ts'
import type { AlertingState } from './alertingState.ts'
import { createConditionMonitor } from './conditionMonitor.ts'

/** How often the conditions are evaluated, from memory. */
const EVALUATION_INTERVAL_MS = 250

export interface AlertingDependencies {
  readonly state: Sql
  readonly environment: string
  readonly agent: string
  readonly guard: boolean
  readonly rollouts: readonly Rollout[]
  readonly flags: Pick<Flags, 'turnOff'> & { status(rollout: string): FlagStatus }
  readonly signals: Signals
  readonly rollbackPauses: RollbackPauseCache
  readonly watchdog: AlertWatchdog
  readonly editorScopes: readonly string[]
  readonly log: Log
}

/** Monitors the conditions, receives alerts and rolls back automatically. */
export interface Alerting {
  readonly alertQueue: AlertQueue
  /** Receives the state that was just read from the database. */
  updateState(rollout: string, state: AlertingState): void
  /** The conditions that the rollback rules fire on. */
  conditions(rollout: string): RolloutReadings['conditions']
  start(): void
  stop(): Promise<void>
}

export function createAlerting(dependencies: AlertingDependencies): Alerting {
  const { state, environment, agent, rollouts, flags, log } = dependencies
  const monitor = createConditionMonitor({ ...dependencies, flag: (rollout) => flags.status(rollout) })
  const writeQueue = createWriteQueue(log)
  const executor = createDecisionExecutor({ state, flags, monitor, writeQueue, log })
  const guard = dependencies.guard ? createGuard({ environment, agent, rollouts, monitor, executor }) : null
  const alertQueue = createAlertQueue({ ...dependencies, monitor, executor, writeQueue })
  const evaluation = createInterval({
    intervalMs: EVALUATION_INTERVAL_MS,
    delayFirstRun: true,
    run() {
      monitor.evaluate()
      guard?.evaluate()
    },
    onError: (error) =>
      log({ level: 'error', message: 'The alert conditions were not evaluated.', error: errorMessage(error) }),
  })
  return {
    alertQueue,
    updateState: monitor.updateState,
    conditions: (rollout) =>
      monitor
        .findings(rollout)
        .filter((finding) => finding.state !== 'unknown')
        .map(({ rule, change, state }) => ({ rule, change, unhealthy: state === 'unhealthy' })),
    start: evaluation.start,
    async stop() {
      await evaluation.stop()
      alertQueue.stop()
      monitor.stop()
      await writeQueue.stop()
    },
  }
}
