import { isAway } from './errors.ts'
import type { Run } from './kind.ts'

/**
 * Says in an event what holds an operation up, and that it does no longer; each change once, however many workers see
 * it. A reason that comes again within `againMs` is not said again unless it stays: events are read by people. While
 * the database is away an event waits for the next look.
 */
export function createTelling(
  run: Run,
  over: string,
  againMs: number,
): (now: { readonly reason: string; readonly sentence: string } | null) => Promise<void> {
  const saidAt = new Map<string, number>()
  let said: string | null = null
  return async (held) => {
    const reason = held?.reason ?? null
    const now = performance.now()
    if (reason === said || (reason !== null && now - (saidAt.get(reason) ?? -Infinity) < againMs)) return
    const before = said
    said = reason
    try {
      await run.event('throttle', held?.sentence ?? over)
      if (reason !== null) saidAt.set(reason, now)
    } catch (error) {
      if (!isAway(error)) throw error
      said = before
    }
  }
}
