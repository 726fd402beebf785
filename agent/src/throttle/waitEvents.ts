import { isConnectionError } from '../database/errors.ts'
import type { RunContext } from '../kind/kind.ts'

/**
 * Says in an event what holds an operation up, and that it does no longer; each change once, however many workers see
 * it. A reason that comes again within `againMs` is not said again unless it stays: events are read by people. While
 * the database is away an event waits for the next look.
 */
export function createWaitReporter(
  run: RunContext,
  endMessage: string,
  repeatAfterMs: number,
): (now: { readonly reason: string; readonly sentence: string } | null) => Promise<void> {
  const reportedAt = new Map<string, number>()
  let reportedReason: string | null = null
  return async (wait) => {
    const reason = wait?.reason ?? null
    const now = performance.now()
    if (reason === reportedReason || (reason !== null && now - (reportedAt.get(reason) ?? -Infinity) < repeatAfterMs))
      return
    const previousReason = reportedReason
    reportedReason = reason
    try {
      await run.recordEvent('throttle', wait?.sentence ?? endMessage)
      if (reason !== null) reportedAt.set(reason, now)
    } catch (error) {
      if (!isConnectionError(error)) throw error
      reportedReason = previousReason
    }
  }
}
