import { setTimeout as delay } from 'node:timers/promises'
import { errorCode, isConnectionError, errorMessage } from '../database/errors.ts'
import type { Log } from '../log.ts'

/** Pending writes of decisions, in order. They wait while the database is unavailable. */
export interface WriteQueue {
  /** Retries `write` until it succeeds, so it must be idempotent. False: the queue is full and the write is dropped. */
  enqueue(description: string, write: () => Promise<void>): boolean
  stop(): Promise<void>
}

const MAX_PENDING_WRITES = 1_000
const RETRY_MS = 500

export function createWriteQueue(log: Log): WriteQueue {
  const pending: { readonly description: string; readonly write: () => Promise<void> }[] = []
  let draining: Promise<void> | null = null
  let stopped = false

  async function drain(): Promise<void> {
    for (let first = pending[0]; first !== undefined; first = pending[0]) {
      try {
        await first.write()
      } catch (error) {
        // The schema may not exist yet.
        if (isConnectionError(error) || errorCode(error) === '42P01') {
          if (stopped) return
          await delay(RETRY_MS, undefined, { ref: false })
          continue
        }
        log({ level: 'error', message: `Cannot write ${first.description}`, error: errorMessage(error) })
      }
      pending.shift()
    }
  }

  return {
    enqueue(description, write) {
      if (stopped || pending.length >= MAX_PENDING_WRITES) {
        log({
          level: 'error',
          message: `Dropped ${description}: ${pending.length} writes are already waiting for the database`,
        })
        return false
      }
      pending.push({ description, write })
      draining ??= drain().finally(() => {
        draining = null
      })
      return true
    },
    async stop() {
      stopped = true
      await draining
      if (pending.length > 0)
        log({
          level: 'error',
          message: `${pending.length} writes of decisions were lost, since the agent stopped while the database was unavailable`,
        })
    },
  }
}
