import type { Database } from '../database/connect.ts'
import { errorCode, classifyError, isConnectionError, errorMessage } from '../database/errors.ts'
import type { OperationDefinition } from '../kind/kind.ts'
import type { Log } from '../log.ts'
import { withResolvedNames, type StartedRun } from './runContext.ts'
import { releaseHelperLease, type HelperLease } from './helperLease.ts'

/** Pause after a failure that is not transient; the holder of the operation runs into it, too, and reports it. */
const HELPER_BACKOFF_SECONDS = 60

/** Helps until nothing is left to claim, then releases the lease. Never rejects: the holder reports failures. */
export async function runHelper(
  lease: HelperLease,
  run: StartedRun,
  kind: OperationDefinition,
  { database, log, agent }: { readonly database: Database; readonly log: Log; readonly agent: string },
): Promise<void> {
  let backoffSeconds = 0
  try {
    await kind.runHelper!(withResolvedNames(run, await run.readFacts()))
  } catch (error) {
    const code = errorCode(error)
    const isTransient =
      isConnectionError(error) || classifyError(error) === 'transient' || code === 'fence-lost' || code === 'stopped'
    if (!isTransient) backoffSeconds = HELPER_BACKOFF_SECONDS
    log({
      level: isTransient ? 'info' : 'warning',
      message: `${agent} stopped helping with operation ${lease.row.id}: ${errorMessage(error)}`,
      code,
    })
  }
  run.stopHeartbeat()
  await releaseHelperLease(database.state, lease, backoffSeconds).catch((error: unknown) =>
    log({
      level: 'warning',
      message: `Helper lease ${lease.number} of operation ${lease.row.id} could not be released and will expire.`,
      error: errorMessage(error),
    }),
  )
}
