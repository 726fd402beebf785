import { agentActor } from '../contract/index.ts'
import type { Database } from '../database/connect.ts'
import {
  applicationFunctionAdvice,
  classifyError,
  errorCode,
  errorMessage,
  errorMessageWithHint,
  isConnectionError,
  isLockTimeout,
} from '../database/errors.ts'
import { describeHolders, holdersKey, readTableLockHolders } from '../database/lockHolders.ts'
import type { RunOutcome } from '../kind/kind.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'
import type { Log } from '../log.ts'
import { releaseOperation } from './operationLease.ts'
import type { OperationRow } from './operationRow.ts'
import { rollBackOnError } from './rollbackOnError.ts'
import type { OperationObserver, RunControl } from './runContext.ts'
import { transitionOperation } from './transition.ts'

/** Delay before an operation that failed with a transient error can be claimed again. */
const RETRY_DELAY_SECONDS = 2
/** Cancelled or timed-out statements tolerated per operation, where a smaller batch cannot help. */
const MAX_STATEMENT_CANCELLATIONS = 5

export interface ClaimedWork {
  /** Does the work; returns or throws at a safe point. */
  readonly work: () => Promise<RunOutcome>
  /** The table that the work locks, as SQL; null: none. */
  readonly table: string | null
}

export interface OutcomeWriter {
  /**
   * Runs the work of a claimed operation and writes its outcome. Returns the operation as it is then; null: it was
   * released, and is claimed again. @throws if the outcome could not be written
   */
  runToOutcome(row: OperationRow, run: RunControl, work: ClaimedWork): Promise<OperationRow | null>
}

/** Turns what work returns or throws into the state of its operation. */
export function createOutcomeWriter(deps: {
  readonly agent: string
  readonly database: Database
  readonly observer: OperationObserver
  readonly log: Log
  /** Lets the runner poll for work immediately. */
  readonly wake: () => void
}): OutcomeWriter {
  const cancellations = new Map<bigint, number>()
  const reportedHolders = new Map<bigint, string>()

  const runToOutcome: OutcomeWriter['runToOutcome'] = async (row, run, { work, table }) => {
    const sql = deps.database.state
    const author = { actor: agentActor(deps.agent) }
    const { claim } = run
    try {
      await run.failpoint('operation.claimed')
      const outcome = await work().catch((error: unknown) => {
        if (errorCode(error) === 'stopped') return { outcome: 'stopped' } as const
        throw error
      })
      await run.flushProgress()
      if (outcome.outcome === 'stopped') {
        await run.failpoint('operation.standing')
        return await finishAtSafePoint(row, run)
      }
      await run.failpoint('operation.ending')
      const ending = { result: outcome.result }
      const ended = await transitionOperation(
        sql,
        row.id,
        'succeed',
        { ...author, message: 'succeeded' },
        { claim, ending },
      )
      deps.observer.operationEnded(row, 'succeeded', outcome.result)
      await run.failpoint('operation.ended')
      return ended
    } catch (error) {
      await run.flushProgress()
      return await endWithError(row, run, error, table)
    }
  }

  /** Pauses, ends, or releases an operation that stopped at a safe point. */
  const finishAtSafePoint = async (row: OperationRow, run: RunControl): Promise<OperationRow | null> => {
    const sql = deps.database.state
    const actor = agentActor(deps.agent)
    const { claim } = run
    switch (run.directive()) {
      case 'pause':
        return await transitionOperation(sql, row.id, 'stand', { actor, message: 'Paused at a safe point.' }, { claim })
      case 'cancel': {
        const ended = await transitionOperation(
          sql,
          row.id,
          'end',
          { actor, message: 'Cancelled. Completed work is kept.' },
          { claim },
        )
        deps.observer.operationEnded(row, 'cancelled', null)
        return ended
      }
      default:
        await releaseOperation(sql, row, 0)
        return null
    }
  }

  const endWithError = async (
    row: OperationRow,
    run: RunControl,
    error: unknown,
    table: string | null,
  ): Promise<OperationRow | null> => {
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
      if (table !== null && isLockTimeout(error)) await reportLockWait(row, run, table)
      await releaseOperation(sql, row, RETRY_DELAY_SECONDS)
      return null
    }
    if (code === 'trouble' || ['cancelled', 'server', 'standby'].includes(fault)) {
      return await transitionOperation(
        sql,
        row.id,
        'trouble',
        { actor, message: `Paused: ${sentence}` },
        { claim, ending: { errorCode: code, error: sentence } },
      )
    }
    const ending = {
      errorCode: code,
      error: error instanceof OperationFailedError ? sentence : explainSqlstate(code, sentence, error),
    }
    const ended = await transitionOperation(
      sql,
      row.id,
      'fail',
      { actor, message: `Failed: ${ending.error}` },
      { claim, ending },
    )
    deps.observer.operationEnded(row, 'failed', { code, error: ending.error })
    await run.failpoint('operation.failed')
    if (await rollBackOnError(sql, row)) deps.wake()
    return ended
  }

  /** Once per holder: the operation tries again every few seconds. */
  const reportLockWait = async (row: OperationRow, run: RunControl, table: string): Promise<void> => {
    const holders = await readTableLockHolders(deps.database.state, table)
    const key = holdersKey(holders)
    if (key === '' || reportedHolders.get(row.id) === key) return
    reportedHolders.set(row.id, key)
    await run.recordEvent('wait', `Waiting for a lock held by ${describeHolders(holders)}`)
  }

  return { runToOutcome }
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
