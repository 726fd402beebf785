import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../database/connect.ts'
import { errorCode, classifyError, isConnectionError, isLockTimeout, errorMessage } from '../database/errors.ts'
import { OperationPausedError } from '../kind/operationErrors.ts'

/** Retries transient errors with growing, jittered delays. */
export interface RetryBackoff {
  /**
   * Returns when it is time to retry.
   * @throws the error itself if it is permanent or caused by a row; OperationPausedError if a person must fix it
   */
  waitOrThrow(error: unknown): Promise<void>
  /** Called after a success: the next error starts with the shortest delay. */
  reset(): void
}

const MAX_RETRIES = 12

export function createRetryBackoff(sql: Sql, onRetry: (sqlstate: string) => void): RetryBackoff {
  let retries = 0
  return {
    async waitOrThrow(error) {
      const errorClass = classifyError(error)
      // An unavailable database is retried without a limit: the directive ends the walk once the lease has expired. So is a
      // lock: whoever holds it is named, and the walk ends by itself once it is free.
      const isTransient =
        isConnectionError(error) ||
        isLockTimeout(error) ||
        (['transient', 'cancelled', 'standby'].includes(errorClass) && retries < MAX_RETRIES)
      if (!isTransient && (errorClass === 'row' || errorClass === 'permanent')) throw error
      if (!isTransient) {
        throw new OperationPausedError(`${errorMessage(error)} (${errorCode(error)}). Fix the cause, then resume.`, {
          cause: error,
        })
      }
      onRetry(errorCode(error) ?? 'unknown')
      retries++
      if (errorClass === 'standby') await reconnect(sql)
      await delay(Math.min(2_000, 50 * 2 ** Math.min(retries, 6)) * (0.5 + Math.random()))
    },
    reset() {
      retries = 0
    },
  }
}

/** The server has become a standby. A new connection may find the primary at the same address. */
async function reconnect(sql: Sql): Promise<void> {
  // Not a SELECT: its row would be missing from the driver's next result (incompleteResultGuard.ts).
  await sql`do $$ begin perform pg_terminate_backend(pg_backend_pid()); end $$`.catch((error: unknown) => {
    if (!isConnectionError(error)) throw error
  })
}
