import { setTimeout as delay } from 'node:timers/promises'
import { isKnown, type Reading } from '../../signals/reading.ts'
import type { CheckFinding } from '../check.ts'

/** A signal that is polled on demand is known a moment after the first request. */
const READING_TIMEOUT_MS = 5_000

/** The value of a signal, or an inconclusive finding if it stays unknown. */
export async function awaitReading<T>(
  read: () => Reading<T>,
  signal: AbortSignal,
): Promise<{ readonly value: T } | CheckFinding> {
  const deadline = Date.now() + READING_TIMEOUT_MS
  for (;;) {
    const reading = read()
    if (isKnown(reading)) return { value: reading.value }
    if (Date.now() > deadline || signal.aborted) {
      return { verdict: 'inconclusive', value: null, limit: null, detail: `the value is unknown: ${reading.unknown}` }
    }
    await delay(100)
  }
}
