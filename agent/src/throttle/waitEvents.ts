import { isConnectionError } from '../database/errors.ts'
import type { RunContext } from '../kind/kind.ts'

/**
 * Records an event when an operation starts to wait and when it stops waiting, once per change however many workers see
 * it. A reason that returns within `repeatAfterMs` is not recorded again unless it lasts: people read the events. While
 * the database is unavailable, the event waits for the next call.
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
