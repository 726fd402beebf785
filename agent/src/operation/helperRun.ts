import type { Database } from '../database/connect.ts'
import { errorCode, classifyError, isConnectionError, errorMessage } from '../database/errors.ts'
import type { OperationDefinition } from '../kind/kind.ts'
import type { Log } from '../log.ts'
import type { StartedRun } from './runContext.ts'
import { releaseHelperLease, type HelperLease } from './helperLease.ts'

/** After a failure that is not of the moment: whoever holds the operation meets it as well, and says so. */
const HELPER_BACKOFF_SECONDS = 60

/** Helps until there is nothing left to take, and leaves the seat. Never rejects: the operation is its holder's. */
export async function runHelper(
  lease: HelperLease,
  run: StartedRun,
  kind: OperationDefinition,
  { database, log, agent }: { readonly database: Database; readonly log: Log; readonly agent: string },
): Promise<void> {
  let backoffSeconds = 0
  try {
    await kind.runHelper!(run)
  } catch (error) {
    const code = errorCode(error)
    const isTransient =
      isConnectionError(error) || classifyError(error) === 'transient' || code === 'fence-lost' || code === 'stopped'
    if (!isTransient) backoffSeconds = HELPER_BACKOFF_SECONDS
    log({
      level: isTransient ? 'info' : 'warning',
      message: `${agent} helps no more with operation ${lease.row.id}: ${errorMessage(error)}`,
      code,
    })
  }
  run.stopHeartbeat()
  await releaseHelperLease(database.state, lease, backoffSeconds).catch((error: unknown) =>
    log({
      level: 'warning',
      message: `seat ${lease.number} of operation ${lease.row.id} is left to its lease`,
      error: errorMessage(error),
    }),
  )
}
