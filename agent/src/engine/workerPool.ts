import { setTimeout as delay } from 'node:timers/promises'

/** What a worker asks between two batches, beside everything else: false ends it at its next safe point. */
export type KeepWorking = () => boolean

const POLL_INTERVAL_MS = 250

/**
 * Keeps as many workers at work as `wanted` says, which may change while they run. `work` answers `true` when there was
 * nothing left to do, `false` when it ended earlier. After the first error all of them end at their next safe point,
 * and it is thrown. Answers whether nothing is left.
 */
export async function runWorkerPool(
  desiredWorkers: () => number,
  work: (keepWorking: KeepWorking) => Promise<boolean>,
): Promise<boolean> {
  const running = new Map<number, Promise<void>>()
  const errors: unknown[] = []
  let remaining = 'unknown' as 'unknown' | 'nothing' | 'stopped'
  /** What one leaves that was sent away is to be taken up, also when the others have found nothing before. */
  let handoffs = 0
  const start = (number: number): void => {
    const handoffsAtStart = handoffs
    // What it was told counts: whoever ended because it was not wanted may be wanted again by then.
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
