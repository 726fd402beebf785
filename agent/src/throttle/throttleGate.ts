import { setTimeout as delay } from 'node:timers/promises'
import type { Limits } from '../contract/index.ts'
import { OperationPausedError } from '../kind/operationErrors.ts'
import type { RunContext } from '../kind/kind.ts'
import { essentialLimits, resolveLimits, type ThrottleLimits } from './limits.ts'
import { createPacer } from './pacer.ts'
import { createWaitReporter } from './waitEvents.ts'
import { findWorstOverload, decideThrottle, type ThrottleWait } from './throttleDecision.ts'

/** Where all workers of one operation wait and rest. What it says, it says once, however many they are. */
export interface ThrottleGate {
  /**
   * Answers what one worker asks between two batches: it rests after that worker's own work, and waits while
   * throttled. False: the operation was asked to stop.
   * @throws OperationTrouble above a limit where work stops
   */
  worker(): () => Promise<boolean>
}

const POLL_INTERVAL_MS = 200
/** Signals are no younger than a quarter of a second: one look in this time serves all workers. */
const MIN_CHECK_INTERVAL_MS = 50
/** A wait is over when there was no reason for it for this long. */
const RESUME_DELAY_MS = 500
/** Signals that are only just being read are no event before this. */
const FIRST_READING_GRACE_MS = 3_000
const MAX_REST_MS = 60_000

/** `waits` hears at each look why work waits, or null. */
export function createThrottleGate(run: RunContext, onWait: (currentWait: ThrottleWait) => void): ThrottleGate {
  const startedAt = performance.now()
  const currentLimits = createLimitsReader(run)
  const reportWait = createWaitReporter(run, 'goes on', 10_000)
  const reportRest = createWaitReporter(run, 'rests no more', 60_000)
  const pacer = createPacer()
  let currentWait: ThrottleWait = null
  let lastThrottledAt = -Infinity

  let pacingSentence: string | null = null
  let lastClearAt = -Infinity

  const checkThrottle = (): ThrottleWait => {
    if (performance.now() - lastClearAt < MIN_CHECK_INTERVAL_MS) return null
    const worstOverload = findWorstOverload(run.pressure, currentLimits())
    pacer.observe(worstOverload)
    if (worstOverload && worstOverload.ratio > 1) pacingSentence = worstOverload.sentence
    const decision = decideThrottle(run.pressure, currentLimits(), currentWait?.reason)
    if (decision.act === 'abort') throw new OperationPausedError(decision.sentence)
    if (decision.act === 'pause') {
      currentWait = { reason: decision.reason, sentence: decision.sentence }
      lastThrottledAt = isUnknownReading(currentWait) ? -Infinity : performance.now()
    } else if (performance.now() - lastThrottledAt >= RESUME_DELAY_MS) currentWait = null
    onWait(currentWait)
    if (currentWait === null) lastClearAt = performance.now()
    return currentWait
  }

  /** In pieces, so that it hears at once when it is asked to stop or to rest less. */
  const rest = async (workedMs: number): Promise<boolean> => {
    const start = performance.now()
    for (;;) {
      if (run.directive() !== 'go-on') return false
      const ratio = Math.max(Number(run.parameters()['niceRatio'] ?? 0), pacer.restRatio())
      const remainingMs = Math.min(MAX_REST_MS, workedMs * ratio) - (performance.now() - start)
      if (remainingMs <= 0) return true
      await delay(Math.min(POLL_INTERVAL_MS, remainingMs))
    }
  }

  return {
    worker() {
      let workStartedAt: number | null = null
      return async () => {
        if (workStartedAt !== null && !(await rest(performance.now() - workStartedAt))) return false
        for (;;) {
          if (run.directive() !== 'go-on') return false
          const activeWait = checkThrottle()
          const awaitsFirstReading =
            isUnknownReading(activeWait) && performance.now() - startedAt < FIRST_READING_GRACE_MS
          if (!awaitsFirstReading)
            await reportWait(activeWait && { reason: activeWait.reason, sentence: `waits: ${activeWait.sentence}` })
          await reportRest(pacer.restRatio() > 0 ? { reason: 'pace', sentence: `rests more: ${pacingSentence}` } : null)
          if (activeWait === null) break
          await delay(POLL_INTERVAL_MS)
        }
        workStartedAt = performance.now()
        return true
      }
    },
  }
}

/** A gate with one worker. */
export function createSingleWorkerGate(run: RunContext, onWait: (wait: ThrottleWait) => void): () => Promise<boolean> {
  return createThrottleGate(run, onWait).worker()
}

function isUnknownReading(wait: ThrottleWait): boolean {
  return wait !== null && wait.reason.endsWith('-unknown')
}

/** The limits as they are now: those of a backfill can be tuned while it runs. */
function createLimitsReader({ operation, rollout, parameters }: RunContext): () => ThrottleLimits {
  if (operation.kind !== 'backfill') {
    const essential = essentialLimits(rollout.file)
    return () => essential
  }
  let lastParameters: Record<string, unknown> | null = null
  let limits = resolveLimits(rollout.file)
  return () => {
    const currentParameters = parameters()
    if (currentParameters !== lastParameters)
      limits = resolveLimits(rollout.file, currentParameters['limits'] as Limits | undefined)
    lastParameters = currentParameters
    return limits
  }
}
