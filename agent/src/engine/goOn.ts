import { setTimeout as delay } from 'node:timers/promises'
import type { Limits } from '../contract/index.ts'
import { OperationTrouble } from './errors.ts'
import type { Run } from './kind.ts'
import { gentleLimits, limitsOf, type ThrottleLimits } from './limits.ts'
import { createPace } from './pace.ts'
import { createTelling } from './telling.ts'
import { overload, throttle, type Throttle } from './throttle.ts'

/** Where all workers of one operation wait and rest. What it says, it says once, however many they are. */
export interface Gate {
  /**
   * Answers what one worker asks between two batches: it rests after that worker's own work, and waits while
   * throttled. False: the operation was asked to stop.
   * @throws OperationTrouble above a limit where work stops
   */
  worker(): () => Promise<boolean>
}

const LOOK_MS = 200
/** Signals are no younger than a quarter of a second: one look in this time serves all workers. */
const LOOK_AGAIN_MS = 50
/** A wait is over when there was no reason for it for this long. */
const CALM_MS = 500
/** Signals that are only just being read are no event before this. */
const FIRST_READING_MS = 3_000
const LONGEST_REST_MS = 60_000

/** `waits` hears at each look why work waits, or null. */
export function createGate(run: Run, waits: (wait: Throttle) => void): Gate {
  const began = performance.now()
  const limits = limitsNow(run)
  const tellWait = createTelling(run, 'goes on', 10_000)
  const tellRest = createTelling(run, 'rests no more', 60_000)
  const pace = createPace()
  let wait: Throttle = null
  let seenAt = -Infinity

  let paced: string | null = null
  let calmAt = -Infinity

  const look = (): Throttle => {
    if (performance.now() - calmAt < LOOK_AGAIN_MS) return null
    const over = overload(run.pressure, limits())
    pace.observe(over)
    if (over && over.ratio > 1) paced = over.sentence
    const decision = throttle(run.pressure, limits(), wait?.reason)
    if (decision.act === 'abort') throw new OperationTrouble(decision.sentence)
    if (decision.act === 'pause') {
      wait = { reason: decision.reason, sentence: decision.sentence }
      seenAt = isUnknown(wait) ? -Infinity : performance.now()
    } else if (performance.now() - seenAt >= CALM_MS) wait = null
    waits(wait)
    if (wait === null) calmAt = performance.now()
    return wait
  }

  /** In pieces, so that it hears at once when it is asked to stop or to rest less. */
  const rested = async (workedMs: number): Promise<boolean> => {
    const start = performance.now()
    for (;;) {
      if (run.asked() !== 'go-on') return false
      const ratio = Math.max(Number(run.parameters()['niceRatio'] ?? 0), pace.restRatio())
      const left = Math.min(LONGEST_REST_MS, workedMs * ratio) - (performance.now() - start)
      if (left <= 0) return true
      await delay(Math.min(LOOK_MS, left))
    }
  }

  return {
    worker() {
      let since: number | null = null
      return async () => {
        if (since !== null && !(await rested(performance.now() - since))) return false
        for (;;) {
          if (run.asked() !== 'go-on') return false
          const now = look()
          const first = isUnknown(now) && performance.now() - began < FIRST_READING_MS
          if (!first) await tellWait(now && { reason: now.reason, sentence: `waits: ${now.sentence}` })
          await tellRest(pace.restRatio() > 0 ? { reason: 'pace', sentence: `rests more: ${paced}` } : null)
          if (now === null) break
          await delay(LOOK_MS)
        }
        since = performance.now()
        return true
      }
    },
  }
}

/** A gate with one worker. */
export function createGoOn(run: Run, waits: (wait: Throttle) => void): () => Promise<boolean> {
  return createGate(run, waits).worker()
}

function isUnknown(wait: Throttle): boolean {
  return wait !== null && wait.reason.endsWith('-unknown')
}

/** The limits as they are now: those of a backfill can be tuned while it runs. */
function limitsNow({ operation, rollout, parameters }: Run): () => ThrottleLimits {
  if (operation.kind !== 'backfill') {
    const gentle = gentleLimits(rollout.file)
    return () => gentle
  }
  let of: Record<string, unknown> | null = null
  let limits = limitsOf(rollout.file)
  return () => {
    const now = parameters()
    if (now !== of) limits = limitsOf(rollout.file, now['limits'] as Limits | undefined)
    of = now
    return limits
  }
}
