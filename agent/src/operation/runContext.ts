import { agentActor, type EndedState, type OperationKind, type OperationProgress } from '../contract/index.ts'
import type { Database } from '../database/connect.ts'
import { isConnectionError, errorMessage } from '../database/errors.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { OperationPausedError } from '../kind/operationErrors.ts'
import type { Directive, OperationClaim, RunContext } from '../kind/kind.ts'
import type { FailpointHook } from '../kind/failpoints.ts'
import type { ThrottleReadings } from '../signals/throttleReadings.ts'
import { createInterval } from '../interval.ts'
import type { Log } from '../log.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { Heartbeat } from './operationLease.ts'
import { appendEvent } from './events.ts'
import type { OperationRow } from './operationRow.ts'

/** Receives what happens during runs; the metrics listen. */
export interface OperationObserver {
  batchWritten(row: OperationRow, seconds: number, rows: number): void
  operationEnded(row: OperationRow, state: EndedState, result: Record<string, unknown> | null): void
}

export interface ControlDependencies {
  readonly agent: string
  readonly database: Database
  readonly row: OperationRow
  readonly leaseSeconds: number
  readonly observer: OperationObserver
  readonly reached: FailpointHook
  readonly log: Log
  /** Renews the lease; null: it is lost. */
  readonly renewLease: (status: {
    step: string | null
    progress: OperationProgress | null
    workedSeconds: number
  }) => Promise<Heartbeat | null>
}

export interface RunDependencies extends ControlDependencies {
  readonly rollout: Rollout
  readonly pressure: ThrottleReadings
  readonly facts: (rollout: Rollout) => Promise<RolloutFacts>
  readonly turnFlagOff: (rollout: string, reason: string) => Promise<void>
}

/** What a claimed operation and its agent tell each other, whatever the operation works on. */
export interface RunControl extends Omit<
  RunContext,
  'rollout' | 'pressure' | 'readFacts' | 'observeBatch' | 'turnFlagOff'
> {
  /** The agent stops: the run ends at its next safe point, and the operation is released. */
  handOver(): void
  /** Saves step and progress once more. */
  flushProgress(): Promise<void>
  stopHeartbeat(): void
}

export type StartedRun = RunControl & RunContext

/** Kinds whose SQL has the expressions of the rollout file; rollbacks work with what expand has fixed. */
const EVALUATING_KINDS: readonly OperationKind[] = ['expand', 'backfill', 'validation', 'finalize', 'rehearsal']

/**
 * The run with the rollout whose names PostgreSQL has resolved.
 * @throws OperationPausedError if they cannot be resolved, and the operation would evaluate them
 */
export function withResolvedNames(run: StartedRun, { rollout, table, faults }: RolloutFacts): StartedRun {
  if (table !== null && rollout.resolution === null && EVALUATING_KINDS.includes(run.operation.kind))
    throw new OperationPausedError(faults.join(' '))
  return { ...run, rollout }
}

/** How often the heartbeat saves progress and reads pause and cancel requests; the lease is many times longer. */
const HEARTBEAT_INTERVAL_MS = 500
/** How often the progress is recorded as an event with `enableMonitoring`. */
const PROGRESS_EVENT_INTERVAL_MS = 5_000

/** Starts a run of an operation of one rollout: its context, and the heartbeat that renews its lease. */
export function startRun(deps: RunDependencies): StartedRun {
  const { row, rollout, pressure } = deps
  return {
    ...startControl(deps),
    rollout,
    pressure,
    readFacts: () => deps.facts(rollout),
    observeBatch: (seconds, rows) => deps.observer.batchWritten(row, seconds, rows),
    turnFlagOff: (reason) => deps.turnFlagOff(row.rollout, reason),
  }
}

/** Starts the heartbeat that renews the lease of a claimed operation and reads what people request. */
export function startControl(deps: ControlDependencies): RunControl {
  const { row, database } = deps
  const claim: OperationClaim = { id: row.id, epoch: row.epoch, claim: row.claim! }
  let directive: Directive = row.state === 'pausing' ? 'pause' : row.state === 'cancelling' ? 'cancel' : 'continue'
  let parameters = row.parameters
  let step = row.step
  let progress: OperationProgress | null = row.progress
  let lastHeartbeatAt = performance.now()

  let lastProgressEventAt = -Infinity
  const appendProgressEvent = async (force: boolean): Promise<void> => {
    if (row.parameters['enableMonitoring'] !== true || progress === null) return
    if (!force && performance.now() - lastProgressEventAt < PROGRESS_EVENT_INTERVAL_MS) return
    lastProgressEventAt = performance.now()
    const message = `${progress.processedRows} of ${progress.totalRows} rows, ${Math.round(progress.rowsPerSecond ?? 0)} rows/s`
    const actor = agentActor(deps.agent)
    const event = { operationId: row.id, rollout: row.rollout, actor, kind: 'reading', message, after: progress }
    await appendEvent(database.state, event)
  }

  let waiting = false
  let lastRenewedAt = performance.now()
  /** Renews the lease, and adds the time since the last renewal to the work unless the operation waits. */
  const renewLease = async (): Promise<Heartbeat | null> => {
    const now = performance.now()
    const workedSeconds = waiting ? 0 : (now - lastRenewedAt) / 1000
    const renewed = await deps.renewLease({ step, progress, workedSeconds })
    lastRenewedAt = now
    return renewed
  }

  const logHeartbeatError = (error: unknown): void =>
    deps.log({
      level: 'warning',
      message: `The heartbeat of operation ${row.id} failed.`,
      error: errorMessage(error),
    })
  const heartbeat = async (): Promise<void> => {
    const started = performance.now()
    try {
      const renewed = await renewLease()
      if (renewed === null) {
        directive = 'lost'
        return
      }
      lastHeartbeatAt = started
      await appendProgressEvent(false)
      parameters = renewed.parameters
      if (directive !== 'lost')
        directive = renewed.state === 'pausing' ? 'pause' : renewed.state === 'cancelling' ? 'cancel' : 'continue'
    } catch (error) {
      if (!isConnectionError(error)) logHeartbeatError(error)
    }
    // Without the database the lease cannot be renewed, and another agent may hold it: stop before the fence does.
    if (performance.now() - lastHeartbeatAt > deps.leaseSeconds * 1000) directive = 'lost'
  }
  const heartbeats = createInterval({
    intervalMs: HEARTBEAT_INTERVAL_MS,
    delayFirstRun: true,
    run: heartbeat,
    onError: logHeartbeatError,
  })
  heartbeats.start()

  return {
    agent: deps.agent,
    operation: row,
    claim,
    database,
    parameters: () => parameters,
    directive: () => directive,
    setStep(text) {
      step = text
    },
    setWaiting(isWaiting) {
      waiting = isWaiting
    },
    reportProgress(newProgress) {
      progress = newProgress
    },
    async recordEvent(kind, message, details = {}) {
      const actor = details.actor ?? agentActor(deps.agent)
      await appendEvent(database.state, { operationId: row.id, rollout: row.rollout, actor, kind, message, ...details })
    },
    failpoint: deps.reached,
    handOver() {
      if (directive === 'continue') directive = 'lost'
    },
    async flushProgress() {
      await heartbeats.stop()
      try {
        await renewLease()
        await appendProgressEvent(true)
      } catch (error) {
        if (!isConnectionError(error)) throw error
      }
    },
    stopHeartbeat: () => void heartbeats.stop(),
  }
}
