import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../database/connect.ts'
import { errorCode, classifyError, isConnectionError, errorMessage } from '../database/errors.ts'
import { OperationPausedError } from '../kind/operationErrors.ts'

/** Bears what passes by itself, with growing pauses and jitter. */
export interface RetryBackoff {
  /** Returns when it is time to try again. Throws what does not pass, or has not passed after many tries. */
  waitOrThrow(error: unknown): Promise<void>
  /** It went well: the next error is the first one again. */
  reset(): void
}

const MAX_RETRIES = 12

export function createRetryBackoff(sql: Sql, onRetry: (sqlstate: string) => void): RetryBackoff {
  let retries = 0
  return {
    async waitOrThrow(error) {
      const errorClass = classifyError(error)
      // While the database is away there is nothing to give up: who walks ends when the lease has run out.
      const isTransient =
        isConnectionError(error) ||
        (['transient', 'cancelled', 'standby'].includes(errorClass) && retries < MAX_RETRIES)
      if (!isTransient && (errorClass === 'row' || errorClass === 'permanent')) throw error
      if (!isTransient) {
        throw new OperationPausedError(`${errorMessage(error)} (${errorCode(error)}). Mend it, then resume.`, {
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

/** This server has become a standby; a new connection finds the primary behind the same address. */
async function reconnect(sql: Sql): Promise<void> {
  // Not a SELECT: its row would leave a hole in the driver's next answer (answer.ts).
  await sql`do $$ begin perform pg_terminate_backend(pg_backend_pid()); end $$`.catch((error: unknown) => {
    if (!isConnectionError(error)) throw error
  })
}
