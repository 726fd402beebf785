import { setTimeout as delay } from 'node:timers/promises'

/** A worker calls it between two batches; false asks the worker to end at its next safe point. */
export type KeepWorking = () => boolean

const POLL_INTERVAL_MS = 250

/**
 * Runs `desiredWorkers()` workers, a number that may change while they run. `work` returns true if nothing was left to do,
 * and false if it ended earlier. After the first error, all workers end at their next safe point and the error is thrown.
 * Returns true if nothing is left to do.
 */
export async function runWorkerPool(
  desiredWorkers: () => number,
  work: (keepWorking: KeepWorking) => Promise<boolean>,
): Promise<boolean> {
  const running = new Map<number, Promise<void>>()
  const errors: unknown[] = []
  let remaining = 'unknown' as 'unknown' | 'nothing' | 'stopped'
  /** Counts dismissed workers, whose unfinished work must be taken up even if others found nothing to do before. */
  let handoffs = 0
  const start = (number: number): void => {
    const handoffsAtStart = handoffs
    // Kept: a worker that ends because it was dismissed may be desired again by then.
    let dismissed = false
    const keepWorking = (): boolean => {
      dismissed ||= errors.length > 0 || number >= desiredWorkers()
      return !dismissed
    }
    const worker = work(keepWorking)
      .then((done) => {
        if (!done && !dismissed) remaining = 'stopped'
        else if (remaining === 'stopped') return
        else if (done && handoffsAtStart === handoffs) remaining = 'nothing'
        else if (!done) {
          handoffs++
          remaining = 'unknown'
        }
      })
      .catch((error: unknown) => void errors.push(error))
      .finally(() => running.delete(number))
    running.set(number, worker)
  }
  for (;;) {
    if (remaining === 'unknown' && errors.length === 0) {
      for (let number = 0; number < desiredWorkers(); number++) if (!running.has(number)) start(number)
    }
    if (running.size === 0 && (remaining !== 'unknown' || errors.length > 0)) break
    const pollAbort = new AbortController()
    const pollTimer = delay(POLL_INTERVAL_MS, undefined, { signal: pollAbort.signal }).catch(() => undefined)
    await Promise.race([pollTimer, ...running.values()])
    pollAbort.abort()
  }
  if (errors.length > 0) throw errors[0]
  return remaining === 'nothing'
}
