import { setTimeout as delay } from 'node:timers/promises'
import { isAway } from './errors.ts'
import type { Run } from './kind.ts'
import { throttle, type Throttle } from './throttle.ts'

const LOOK_MS = 200

/**
 * What a walk asks between two batches: it waits while throttled, says so to `waits` and in an event, and answers
 * false when the operation was asked to stop.
 */
export function createGoOn(run: Run, waits: (wait: Throttle) => void): () => Promise<boolean> {
  let told: string | null = null
  return async () => {
    for (;;) {
      if (run.asked() !== 'go-on') return false
      const wait = throttle(run.pressure)
      waits(wait)
      const reason = wait?.reason ?? null
      if (reason !== told && (await said(run, wait))) told = reason
      if (wait === null) return true
      await delay(LOOK_MS)
    }
  }
}

/** While the database is away the event waits for the next look. */
async function said(run: Run, wait: Throttle): Promise<boolean> {
  try {
    await run.event('throttle', wait === null ? 'goes on' : `waits: ${wait.sentence}`)
    return true
  } catch (error) {
    if (!isAway(error)) throw error
    return false
  }
}
