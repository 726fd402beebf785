import { setTimeout as delay } from 'node:timers/promises'
import { errorCode, isConnectionError, errorMessage } from '../database/errors.ts'
import type { Log } from '../log.ts'

/** What has been decided and is still to be written, in order; while the database is away it waits. */
export interface WriteQueue {
  /** Asked again until it is done: it must bear being done twice. False: too much waits, and this is lost. */
  enqueue(what: string, write: () => Promise<void>): boolean
  stop(): Promise<void>
}

const MAX_PENDING_WRITES = 1_000
const RETRY_MS = 500

export function createWriteQueue(log: Log): WriteQueue {
  const pending: { readonly what: string; readonly write: () => Promise<void> }[] = []
  let draining: Promise<void> | null = null
  let stopped = false

  async function drain(): Promise<void> {
    for (let first = pending[0]; first !== undefined; first = pending[0]) {
      try {
        await first.write()
      } catch (error) {
        // The schema may not be there yet.
        if (isConnectionError(error) || errorCode(error) === '42P01') {
          if (stopped) return
          await delay(RETRY_MS, undefined, { ref: false })
          continue
        }
        log({ level: 'error', message: `${first.what} could not be written`, error: errorMessage(error) })
      }
      pending.shift()
    }
  }

  return {
    enqueue(description, write) {
      if (stopped || pending.length >= MAX_PENDING_WRITES) {
        log({ level: 'error', message: `${description} is not written: too much waits for the database` })
        return false
      }
      pending.push({ what: description, write })
      draining ??= drain().finally(() => {
        draining = null
      })
      return true
    },
    async stop() {
      stopped = true
      await draining
      if (pending.length > 0) log({ level: 'error', message: `${pending.length} decisions were not written` })
    },
  }
}
