import { setTimeout as delay } from 'node:timers/promises'
import { isKnown, type Reading } from '../../signals/reading.ts'
import type { CheckFinding } from '../check.ts'

/** A signal that is read only while somebody looks is known a moment later. */
const READING_TIMEOUT_MS = 5_000

/** What the signal says; a finding instead where it says nothing: unknown is not good. */
export async function awaitReading<T>(
  read: () => Reading<T>,
  signal: AbortSignal,
): Promise<{ readonly value: T } | CheckFinding> {
  const deadline = Date.now() + READING_TIMEOUT_MS
  for (;;) {
    const reading = read()
    if (isKnown(reading)) return { value: reading.value }
    if (Date.now() > deadline || signal.aborted) {
      return { verdict: 'inconclusive', value: null, limit: null, detail: `it is not known: ${reading.unknown}` }
    }
    await delay(100)
  }
}
