import { setTimeout as delay } from 'node:timers/promises'

/** What a worker asks between two batches, beside everything else: false ends it at its next safe point. */
export type Stays = () => boolean

const LOOK_MS = 250

/**
 * Keeps as many workers at work as `wanted` says, which may change while they run. `work` answers `true` when there was
 * nothing left to do, `false` when it ended earlier. After the first error all of them end at their next safe point,
 * and it is thrown. Answers whether nothing is left.
 */
export async function runWorkers(wanted: () => number, work: (stays: Stays) => Promise<boolean>): Promise<boolean> {
  const running = new Map<number, Promise<void>>()
  const errors: unknown[] = []
  let left = 'unknown' as 'unknown' | 'nothing' | 'stopped'
  /** What one leaves that was sent away is to be taken up, also when the others have found nothing before. */
  let leavings = 0
  const start = (number: number): void => {
    const seen = leavings
    // What it was told counts: whoever ended because it was not wanted may be wanted again by then.
    let sentAway = false
    const stays = (): boolean => {
      sentAway ||= errors.length > 0 || number >= wanted()
      return !sentAway
    }
    const one = work(stays)
      .then((done) => {
        if (!done && !sentAway) left = 'stopped'
        else if (left === 'stopped') return
        else if (done && seen === leavings) left = 'nothing'
        else if (!done) {
          leavings++
          left = 'unknown'
        }
      })
      .catch((error: unknown) => void errors.push(error))
      .finally(() => running.delete(number))
    running.set(number, one)
  }
  for (;;) {
    if (left === 'unknown' && errors.length === 0) {
      for (let number = 0; number < wanted(); number++) if (!running.has(number)) start(number)
    }
    if (running.size === 0 && (left !== 'unknown' || errors.length > 0)) break
    const look = new AbortController()
    const timer = delay(LOOK_MS, undefined, { signal: look.signal }).catch(() => undefined)
    await Promise.race([timer, ...running.values()])
    look.abort()
  }
  if (errors.length > 0) throw errors[0]
  return left === 'nothing'
}
