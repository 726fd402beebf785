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
  const start = (number: number): void => {
    const one = work(() => errors.length === 0 && number < wanted())
      .then((done) => {
        if (done) left = 'nothing'
        // Whoever ended because it was not wanted any more may be wanted again.
        else if (number < wanted()) left = 'stopped'
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
