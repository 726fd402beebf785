import { setTimeout as delay } from 'node:timers/promises'
import { isKnown, type Reading } from '../../signals/reading.ts'
import type { Finding } from '../check.ts'

/** A signal that is read only while somebody looks is known a moment later. */
const PATIENCE_MS = 5_000

/** What the signal says; a finding instead where it says nothing: unknown is not good. */
export async function known<T>(read: () => Reading<T>, signal: AbortSignal): Promise<{ readonly value: T } | Finding> {
  const end = Date.now() + PATIENCE_MS
  for (;;) {
    const reading = read()
    if (isKnown(reading)) return { value: reading.value }
    if (Date.now() > end || signal.aborted) {
      return { verdict: 'inconclusive', value: null, limit: null, detail: `it is not known: ${reading.unknown}` }
    }
    await delay(100)
  }
}
