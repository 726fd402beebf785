import type { FlagStatus, VariantComparison } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { Flags } from '../flag/flags.ts'
import { errorMessage } from '../database/errors.ts'
import { createInterval } from '../interval.ts'
import type { Log } from '../log.ts'
import type { RolloutReadings } from '../metrics/metricsSource.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { Signals } from '../signals/signals.ts'
import { createDecisionExecutor } from './decisionExecutor.ts'
import type { FailpointHook } from '../kind/failpoints.ts'
import { createDroppedAlerts, type DroppedAlerts } from './droppedAlerts.ts'
import { toPlainTexts } from './plainTexts.ts'
import { findOwedRecords, nameRollbackOperations, newRecordProgress, recordRollback } from './rollbackRecord.ts'
import { createWriteQueue } from './writeQueue.ts'
import { createGuard } from './guard.ts'
import type { RollbackPauseCache } from './rollbackPauseCache.ts'
import { createAlertQueue, type AlertQueue } from './alertQueue.ts'
import type { AlertWatchdog } from './watchdog.ts'
import type { AlertingState } from './alertingState.ts'
import { createConditionMonitor } from './conditionMonitor.ts'
import type { EnableJudgement } from './judgeEnabling.ts'

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
  readonly reached: FailpointHook
  readonly log: Log
}

/** Monitors the conditions, receives alerts and rolls back automatically. */
export interface Alerting {
  readonly alertQueue: AlertQueue
  /** Counts alerts of a message that are not valid. */
  rejectAlerts(count: number): void
  /** Receives the state that was just read from the database. */
  updateState(rollout: string, state: AlertingState): void
  /** Queues the records of rollbacks that an agent owes which has stopped. */
  writeOwedRecords(rollout: string): Promise<void>
  /** What the application's readings say about turning the flag on for this percentage now. */
  judgeEnabling(rollout: string, percentage: number): EnableJudgement
  /** Alerts that were dropped since this process started. */
  droppedAlerts: DroppedAlerts['counts']
  /** The conditions that the rollback rules fire on. */
  conditions(rollout: string): RolloutReadings['conditions']
  /** Requests by type against requests by legacy columns; null: there is no control group now. */
  comparison(rollout: string): VariantComparison | null
  start(): void
  stop(): Promise<void>
}

export function createAlerting(dependencies: AlertingDependencies): Alerting {
  const { state, environment, agent, rollouts, flags, log } = dependencies
  const monitor = createConditionMonitor({ ...dependencies, flag: (rollout) => flags.status(rollout) })
  const dropped = createDroppedAlerts(log)
  const writeQueue = createWriteQueue(log, (count) => dropped.add('write-queue-full', count))
  const executor = createDecisionExecutor({ state, flags, monitor, writeQueue, log, reached: dependencies.reached })
  const guard = dependencies.guard ? createGuard({ environment, agent, rollouts, monitor, executor }) : null
  const alertQueue = createAlertQueue({ ...dependencies, monitor, executor, writeQueue, dropped })
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
  const queuedRecords = new Set<string>()

  async function writeOwedRecords(rollout: string): Promise<void> {
    for (const record of await findOwedRecords(state, rollout, environment)) {
      const key = JSON.stringify([rollout, record.incident.rule, record.change])
      if (queuedRecords.has(key)) continue
      queuedRecords.add(key)
      const progress = newRecordProgress()
      writeQueue.enqueue({
        description: `the automatic rollback of ${record.change}, which another process decided`,
        isRollback: true,
        async write(plainTexts) {
          const owed = plainTexts ? toPlainTexts(record) : record
          await recordRollback({ state, reached: dependencies.reached }, owed, progress)
          queuedRecords.delete(key)
        },
      })
    }
    await nameRollbackOperations(state, rollout)
  }

  return {
    alertQueue,
    updateState: monitor.updateState,
    judgeEnabling: monitor.judgeEnabling,
    writeOwedRecords,
    droppedAlerts: dropped.counts,
    rejectAlerts: (count) => dropped.add('not-valid', count),
    conditions: (rollout) =>
      monitor
        .findings(rollout)
        .filter((finding) => finding.state !== 'unknown')
        .map(({ rule, change, state }) => ({ rule, change, unhealthy: state === 'unhealthy' })),
    comparison: monitor.comparison,
    start: evaluation.start,
    async stop() {
      await evaluation.stop()
      alertQueue.stop()
      monitor.stop()
      await writeQueue.stop()
      dropped.stop()
    },
  }
}
