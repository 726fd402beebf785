import { agentActor, OperationKind } from '../contract/index.ts'
import type { Database } from '../database/connect.ts'
import {
  applicationFunctionAdvice,
  errorCode,
  classifyError,
  isConnectionError,
  isLockTimeout,
  errorMessage,
  errorMessageWithHint,
} from '../database/errors.ts'
import { describeHolders, holdersKey, readTableLockHolders } from '../database/lockHolders.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinitions } from '../kind/kind.ts'
import type { FailpointHook } from '../kind/failpoints.ts'
import type { ThrottleReadings } from '../signals/throttleReadings.ts'
import { createInterval } from '../interval.ts'
import type { Log } from '../log.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { rollBackOnError, startMissedRollbacks } from './rollbackOnError.ts'
import { claimOperation, renewOperationLease, releaseOperation } from './operationLease.ts'
import { runHelper } from './helperRun.ts'
import type { OperationRow } from './operationRow.ts'
import {
  startRun,
  withResolvedNames,
  type RunDependencies,
  type StartedRun,
  type OperationObserver,
} from './runContext.ts'
import { renewHelperLease, acquireHelperLease } from './helperLease.ts'
import { deriveStage } from './rolloutStage.ts'
import { transitionOperation } from './transition.ts'

export interface RunnerDependencies {
  readonly agent: string
  readonly database: Database
  readonly rollouts: readonly Rollout[]
  readonly kinds: OperationDefinitions
  readonly facts: (rollout: Rollout) => Promise<RolloutFacts>
  /** Reads the throttle signals of a rollout until `stop` is called. */
  readonly watchPressure: (rollout: string) => { readings: ThrottleReadings; stop: () => void }
  readonly turnFlagOff: (rollout: string, reason: string) => Promise<void>
  /** Faults that keep this agent from claiming operations. */
  readonly agentFaults: () => readonly string[]
  readonly observer: OperationObserver
  readonly reached: FailpointHook
  readonly log: Log
  readonly leaseSeconds?: number
}

export interface Runner {
  start(): void
  /** Polls for work immediately. */
  wake(): void
  /** Waits until running operations reach a safe point, and releases them. */
  stop(): Promise<void>
}

const POLL_INTERVAL_MS = 500
/** Delay before an operation that failed with a transient error can be claimed again. */
const RETRY_DELAY_SECONDS = 2
/** Cancelled or timed-out statements tolerated per operation, where a smaller batch cannot help. */
const MAX_STATEMENT_CANCELLATIONS = 5

export function createRunner(deps: RunnerDependencies): Runner {
  const leaseSeconds = deps.leaseSeconds ?? 10
  const rollouts = new Map(deps.rollouts.map((rollout) => [rollout.name, rollout]))
  const { kinds } = deps
  const helpableKinds = OperationKind.options.filter((kind) => kinds[kind].runHelper !== undefined)
  const running = new Set<{ run: StartedRun; ended: Promise<void> }>()
  const cancellations = new Map<bigint, number>()
  const reportedHolders = new Map<bigint, string>()
  let stopped = false

  const claimWork = async (): Promise<void> => {
    while (!stopped && deps.agentFaults().length === 0) {
      const derivationHashes = new Map([...rollouts].map(([name, rollout]) => [name, rollout.derivationHash]))
      await startMissedRollbacks(deps.database.state, derivationHashes)
      const claimant = { agent: deps.agent, derivationHashes, leaseSeconds }
      const row = await claimOperation(deps.database.state, claimant)
      if (row !== null) {
        const renewLease: RunDependencies['renewLease'] = (seen) =>
          renewOperationLease(deps.database.state, row, seen, leaseSeconds)
        startWork(row, renewLease, (run) => execute(row, run))
        continue
      }
      const helperLease = await acquireHelperLease(deps.database.state, claimant, helpableKinds)
      if (helperLease === null) return
      const renewLease: RunDependencies['renewLease'] = () =>
        renewHelperLease(deps.database.state, helperLease, leaseSeconds)
      startWork(helperLease.row, renewLease, (run) => runHelper(helperLease, run, kinds[helperLease.row.kind], deps))
    }
  }

  const startWork = (
    row: OperationRow,
    renewLease: RunDependencies['renewLease'],
    execute: (run: StartedRun) => Promise<void>,
  ): void => {
    const pressureWatch = deps.watchPressure(row.rollout)
    const rollout = rollouts.get(row.rollout)!
    const run = startRun({ ...deps, leaseSeconds, row, rollout, pressure: pressureWatch.readings, renewLease })
    // Not by the operation's id: this agent may claim it again while its own lost run still ends.
    const entry = { run, ended: Promise.resolve() }
    running.add(entry)
    entry.ended = execute(run).finally(() => {
      pressureWatch.stop()
      running.delete(entry)
    })
  }

  const claimInterval = createInterval({
    intervalMs: POLL_INTERVAL_MS,
    run: claimWork,
    onError(error) {
      if (!isConnectionError(error))
        deps.log({ level: 'error', message: 'Polling for work failed.', error: errorMessage(error) })
    },
  })
  const wake = (): void => void claimInterval.runNow()

  const execute = async (row: OperationRow, run: StartedRun): Promise<void> => {
    try {
      await runToOutcome(row, run)
    } catch (error) {
      // The outcome could not be written: the lease expires, and the next holder continues from the state in the database.
      deps.log({
        level: isConnectionError(error) ? 'warning' : 'error',
        message: `The outcome of operation ${row.id} could not be written; another agent takes it over when its lease expires.`,
        error: errorMessage(error),
      })
    } finally {
      run.stopHeartbeat()
    }
  }

  const runToOutcome = async (row: OperationRow, run: StartedRun): Promise<void> => {
    const sql = deps.database.state
    const author = { actor: agentActor(deps.agent) }
    const { claim } = run
    try {
      await run.failpoint('operation.claimed')
      const facts = excludeOperation(await deps.facts(run.rollout), Number(row.id))
      if (run.directive() === 'continue') {
        const refusals = kinds[row.kind].refusals(facts, row.parameters)
        // Only the first start is checked: after a crash, its own completed work could refuse it.
        if (row.epoch === 1n && refusals.length > 0) throw new OperationFailedError('refused', refusals.join(' '))
      }
      const outcome = await kinds[row.kind].run(withResolvedNames(run, facts)).catch((error: unknown) => {
        if (errorCode(error) === 'stopped') return { outcome: 'stopped' } as const
        throw error
      })
      await run.flushProgress()
      if (outcome.outcome === 'stopped') {
        await run.failpoint('operation.standing')
        await finishAtSafePoint(row, run)
        return
      }
      await run.failpoint('operation.ending')
      const ending = { result: outcome.result }
      await transitionOperation(sql, row.id, 'succeed', { ...author, message: 'succeeded' }, { claim, ending })
      deps.observer.operationEnded(row, 'succeeded', outcome.result)
      await run.failpoint('operation.ended')
    } catch (error) {
      await run.flushProgress()
      await endWithError(row, run, error)
    }
  }

  /** Pauses, ends, or releases an operation that stopped at a safe point. */
  const finishAtSafePoint = async (row: OperationRow, run: StartedRun): Promise<void> => {
    const sql = deps.database.state
    const actor = agentActor(deps.agent)
    const { claim } = run
    switch (run.directive()) {
      case 'pause':
        await transitionOperation(sql, row.id, 'stand', { actor, message: 'Paused at a safe point.' }, { claim })
        return
      case 'cancel':
        await transitionOperation(
          sql,
          row.id,
          'end',
          { actor, message: 'Cancelled. Completed work is kept.' },
          { claim },
        )
        deps.observer.operationEnded(row, 'cancelled', null)
        return
      default:
        await releaseOperation(sql, row, 0)
    }
  }

  const endWithError = async (row: OperationRow, run: StartedRun, error: unknown): Promise<void> => {
    const sql = deps.database.state
    const { claim } = run
    const actor = agentActor(deps.agent)
    const code = errorCode(error) ?? 'internal'
    const fault = classifyError(error)
    const cancellationCount = (cancellations.get(row.id) ?? 0) + (fault === 'cancelled' ? 1 : 0)
    cancellations.set(row.id, cancellationCount)
    const sentence =
      fault === 'cancelled'
        ? `${errorMessage(error)} (${code}), ${cancellationCount} times. Find out what cancels or blocks the statement, then resume.`
        : errorMessageWithHint(error)
    deps.log({ level: 'warning', message: `operation ${row.id} (${row.kind}): ${sentence}`, code })
    const isTransient = code === 'fence-lost' || isConnectionError(error) || fault === 'transient'
    if (isTransient || (fault === 'cancelled' && cancellationCount <= MAX_STATEMENT_CANCELLATIONS)) {
      if (isLockTimeout(error)) await reportLockWait(row, run)
      await releaseOperation(sql, row, RETRY_DELAY_SECONDS)
      return
    }
    if (code === 'trouble' || ['cancelled', 'server', 'standby'].includes(fault)) {
      await transitionOperation(
        sql,
        row.id,
        'trouble',
        { actor, message: `Paused: ${sentence}` },
        { claim, ending: { errorCode: code, error: sentence } },
      )
      return
    }
    const ending = {
      errorCode: code,
      error: error instanceof OperationFailedError ? sentence : explainSqlstate(code, sentence, error),
    }
    await transitionOperation(sql, row.id, 'fail', { actor, message: `Failed: ${ending.error}` }, { claim, ending })
    deps.observer.operationEnded(row, 'failed', { code, error: ending.error })
    await run.failpoint('operation.failed')
    if (await rollBackOnError(sql, row)) wake()
  }

  /** Once per holder: the operation tries again every few seconds. */
  const reportLockWait = async (row: OperationRow, run: StartedRun): Promise<void> => {
    const holders = await readTableLockHolders(deps.database.state, run.rollout.table.sql)
    const key = holdersKey(holders)
    if (key === '' || reportedHolders.get(row.id) === key) return
    reportedHolders.set(row.id, key)
    await run.recordEvent('wait', `Waiting for a lock held by ${describeHolders(holders)}`)
  }

  return {
    start: claimInterval.start,
    wake,
    async stop() {
      stopped = true
      for (const { run } of running) run.handOver()
      await claimInterval.stop()
      await Promise.all([...running].map(({ ended }) => ended))
    },
  }
}

/** The facts without this open operation. */
function excludeOperation(facts: RolloutFacts, id: number): RolloutFacts {
  const others: RolloutFacts = {
    ...facts,
    openOperations: facts.openOperations.filter((operation) => operation.id !== id),
  }
  return { ...others, stage: deriveStage(others) }
}

/** Adds what to do to the message of a PostgreSQL error: it depends on whose function raised it. */
function explainSqlstate(code: string, message: string, error: unknown): string {
  const advice = applicationFunctionAdvice(error) ?? adviceBySqlstate(code)
  return `${message} (${code}). ${advice}, then start the operation again.`
}

function adviceBySqlstate(code: string): string {
  const advice: Record<string, string> = {
    '42501': 'The role of the agent lacks a privilege: it must own the table and have CREATE on the database. Grant it',
    '42P01': 'The table was dropped: restore it or correct the rollout file',
    '42703': 'A column does not exist: restore it, or correct the rollout file',
    '42804': 'A column has a different type than the rollout file expects: correct the file',
    '0A000': 'This PostgreSQL server does not support it: see the message. Fix the cause',
  }
  return advice[code] ?? 'Fix the cause'
}
