import { setTimeout as delay } from 'node:timers/promises'
import type { Sql } from '../database/connect.ts'
import { codeOf, faultOf, isAway, messageOf, OperationTrouble } from './errors.ts'

/** Bears what passes by itself, with growing pauses and jitter. */
export interface Patience {
  /** Returns when it is time to try again. Throws what does not pass, or has not passed after many tries. */
  bear(error: unknown): Promise<void>
  /** It went well: the next error is the first one again. */
  calm(): void
}

const TRIES = 12

export function createPatience(sql: Sql, retried: (sqlstate: string) => void): Patience {
  let tries = 0
  return {
    async bear(error) {
      const fault = faultOf(error)
      // While the database is away there is nothing to give up: who walks ends when the lease has run out.
      const passes = isAway(error) || (['retry', 'halve', 'standby'].includes(fault) && tries < TRIES)
      if (!passes && (fault === 'row' || fault === 'fail')) throw error
      if (!passes) {
        throw new OperationTrouble(`${messageOf(error)} (${codeOf(error)}). Mend it, then resume.`, { cause: error })
      }
      retried(codeOf(error) ?? 'unknown')
      tries++
      if (fault === 'standby') await reconnect(sql)
      await delay(Math.min(2_000, 50 * 2 ** Math.min(tries, 6)) * (0.5 + Math.random()))
    },
    calm() {
      tries = 0
    },
  }
}

/** This server has become a standby; a new connection finds the primary behind the same address. */
async function reconnect(sql: Sql): Promise<void> {
  // Not a SELECT: its row would leave a hole in the driver's next answer (answer.ts).
  await sql`do $$ begin perform pg_terminate_backend(pg_backend_pid()); end $$`.catch((error: unknown) => {
    if (!isAway(error)) throw error
  })
}
