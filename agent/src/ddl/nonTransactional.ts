import type { Sql } from '../database/connect.ts'
import { DdlStoppedError, FenceLostError } from '../kind/operationErrors.ts'
import { errorCode, isConnectionError } from '../database/errors.ts'
import { describeHolders, holdersKey, readBlockers } from '../database/lockHolders.ts'
import type { RunContext } from '../kind/kind.ts'
import { createInterval } from '../interval.ts'

const BLOCKER_POLL_INTERVAL_MS = 500

/**
 * The fence of statements that cannot run in a transaction.
 * @throws FenceLostError if another agent holds the operation
 * @throws DdlStoppedError if the operation was asked to stop
 */
export async function assertClaimHeld({ claim, database, directive }: RunContext): Promise<void> {
  if (directive() !== 'continue') throw new DdlStoppedError()
  const claimRows = await database.state`
    select from sti.operation where id = ${claim.id} and epoch = ${claim.epoch} and claim = ${claim.claim}`
  if (claimRows.length === 0) throw new FenceLostError('another agent has claimed this operation')
}

/**
 * Runs a long statement outside a transaction (CONCURRENTLY, VALIDATE, ANALYZE) on its own connection `sql`. Records the
 * sessions that block it, and cancels it if the operation is asked to stop.
 * @throws DdlStoppedError if it was cancelled for that
 */
export async function runNonTransactional(
  run: RunContext,
  sql: Sql,
  description: string,
  statement: string,
): Promise<void> {
  await assertClaimHeld(run)
  const [backend] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`
  let stopping = false
  let reportedKey = ''
  const checkBlockers = async (): Promise<void> => {
    if (run.directive() !== 'continue') {
      stopping = true
      await run.database.state`select pg_cancel_backend(${backend!.pid})`
      return
    }
    const blockers = await readBlockers(run.database.state, backend!.pid)
    const key = holdersKey(blockers)
    if (key !== reportedKey) {
      const message = `${description}: waiting for ${describeHolders(blockers)}`
      run.setStep(key === '' ? description : message)
      if (key !== '') await run.recordEvent('ddl', message)
    }
    reportedKey = key
  }
  const blockerChecks = createInterval({
    intervalMs: BLOCKER_POLL_INTERVAL_MS,
    delayFirstRun: true,
    run: checkBlockers,
    // Without the database, there is no session to name and nothing to cancel.
    onError: (error) =>
      run.setStep(
        isConnectionError(error) ? description : `${description} (blocking sessions unknown: ${errorCode(error)})`,
      ),
  })
  blockerChecks.start()
  try {
    await run.failpoint('alone.sending')
    await sql.unsafe(statement)
    await run.failpoint('alone.done')
  } catch (error) {
    if (stopping && errorCode(error) === '57014') throw new DdlStoppedError()
    throw error
  } finally {
    await blockerChecks.stop()
  }
}
