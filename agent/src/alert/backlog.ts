import { setTimeout as delay } from 'node:timers/promises'
import { codeOf, isAway, messageOf } from '../engine/errors.ts'
import type { Log } from '../log.ts'

/** What has been decided and is still to be written, in order; while the database is away it waits. */
export interface Backlog {
  /** Asked again until it is done: it must bear being done twice. False: too much waits, and this is lost. */
  add(what: string, write: () => Promise<void>): boolean
  stop(): Promise<void>
}

const MOST = 1_000
const RETRY_MS = 500

export function createBacklog(log: Log): Backlog {
  const waiting: { readonly what: string; readonly write: () => Promise<void> }[] = []
  let working: Promise<void> | null = null
  let stopped = false

  async function work(): Promise<void> {
    for (let first = waiting[0]; first !== undefined; first = waiting[0]) {
      try {
        await first.write()
      } catch (error) {
        // The schema may not be there yet.
        if (isAway(error) || codeOf(error) === '42P01') {
          if (stopped) return
          await delay(RETRY_MS, undefined, { ref: false })
          continue
        }
        log({ level: 'error', message: `${first.what} could not be written`, error: messageOf(error) })
      }
      waiting.shift()
    }
  }

  return {
    add(what, write) {
      if (stopped || waiting.length >= MOST) {
        log({ level: 'error', message: `${what} is not written: too much waits for the database` })
        return false
      }
      waiting.push({ what, write })
      working ??= work().finally(() => {
        working = null
      })
      return true
    },
    async stop() {
      stopped = true
      await working
      if (waiting.length > 0) log({ level: 'error', message: `${waiting.length} decisions were not written` })
    },
  }
}
