import { isAway } from './errors.ts'
import type { Run } from './kind.ts'
import type { Throttle } from './throttle.ts'

/** A reason that comes again so soon is not said again, unless it stays: events are read by people. */
const AGAIN_MS = 10_000

/**
 * Says in an event why an operation waits, and that it goes on; each change once, however many workers see it. While
 * the database is away an event waits for the next look.
 */
export function createTelling(run: Run): (wait: Throttle) => Promise<void> {
  const saidAt = new Map<string, number>()
  let said: string | null = null
  return async (wait) => {
    const reason = wait?.reason ?? null
    const now = performance.now()
    if (reason === said || (reason !== null && now - (saidAt.get(reason) ?? -Infinity) < AGAIN_MS)) return
    const before = said
    said = reason
    try {
      await run.event('throttle', wait === null ? 'goes on' : `waits: ${wait.sentence}`)
      if (reason !== null) saidAt.set(reason, now)
    } catch (error) {
      if (!isAway(error)) throw error
      said = before
    }
  }
}
