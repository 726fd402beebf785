import { setTimeout as delay } from 'node:timers/promises'
import type { Limits } from '../contract/index.ts'
import { OperationPausedError } from '../kind/operationErrors.ts'
import type { RunContext } from '../kind/kind.ts'
import { essentialLimits, resolveLimits, type ThrottleLimits } from './limits.ts'
import { createPacer } from './pacer.ts'
import { createWaitReporter } from './waitEvents.ts'
import { findWorstOverload, decideThrottle, type ThrottleWait } from './throttleDecision.ts'

/** Where all workers of one operation wait and rest. Each wait becomes one event, however many workers there are. */
export interface ThrottleGate {
  /**
   * The gate of one worker, called between two batches: rests in proportion to the worker's own work, then waits while
   * throttled. Resolves to false when the operation was asked to stop.
   * @throws OperationPausedError above an abort limit
   */
  worker(): () => Promise<boolean>
}

const POLL_INTERVAL_MS = 200
/** Signals are read every 250 ms at most: one check in this time serves all workers. */
const MIN_CHECK_INTERVAL_MS = 50
/** A wait ends when there has been no reason for it for this long. */
const RESUME_DELAY_MS = 500
/** Signals that have not been read yet cause no event before this. */
const FIRST_READING_GRACE_MS = 3_000
const MAX_REST_MS = 60_000
/** A rest that was longer than it should be shortens the next one, by this much at most. */
const MAX_REST_CREDIT_MS = 20

/** `onWait` receives, at every check, why work waits, or null. */
export function createThrottleGate(run: RunContext, onWait: (currentWait: ThrottleWait) => void): ThrottleGate {
  const startedAt = performance.now()
  const currentLimits = createLimitsReader(run)
  const reportWait = createWaitReporter(run, 'Resumed', 10_000)
  const reportRest = createWaitReporter(run, 'Back to full speed', 60_000)
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
    run.setWaiting(currentWait !== null)
    onWait(currentWait)
    if (currentWait === null) lastClearAt = performance.now()
    return currentWait
  }

  /**
   * Rests in short pieces, so that a request to stop or to rest less takes effect immediately. Returns how much longer
   * than it should it has rested, since timers are late; null if the operation was asked to stop.
   */
  const rest = async (workedMs: number, restedMs: number): Promise<number | null> => {
    const start = performance.now()
    for (;;) {
      if (run.directive() !== 'continue') return null
      const ratio = Math.max(Number(run.parameters()['niceRatio'] ?? 0), pacer.restRatio())
      const remainingMs = Math.min(MAX_REST_MS, workedMs * ratio) - restedMs - (performance.now() - start)
      if (remainingMs <= 0) return Math.min(MAX_REST_CREDIT_MS, -remainingMs)
      await delay(Math.min(POLL_INTERVAL_MS, remainingMs))
    }
  }

  return {
    worker() {
      let workStartedAt: number | null = null
      let restCreditMs = 0
      return async () => {
        if (workStartedAt !== null) {
          const credit = await rest(performance.now() - workStartedAt, restCreditMs)
          if (credit === null) return false
          restCreditMs = credit
        }
        for (;;) {
          if (run.directive() !== 'continue') return false
          const activeWait = checkThrottle()
          const awaitsFirstReading =
            isUnknownReading(activeWait) && performance.now() - startedAt < FIRST_READING_GRACE_MS
          if (!awaitsFirstReading)
            await reportWait(activeWait && { reason: activeWait.reason, sentence: `Waiting: ${activeWait.sentence}` })
          await reportRest(
            pacer.restRatio() > 0 ? { reason: 'pace', sentence: `Slowing down: ${pacingSentence}` } : null,
          )
          if (activeWait === null) break
          await delay(POLL_INTERVAL_MS)
        }
        workStartedAt = performance.now()
        return true
      }
    },
  }
}

/** The gate of an operation with one worker, which shows its `step`, or why it waits. */
export function createSingleWorkerGate(run: RunContext, step: string): () => Promise<boolean> {
  return createThrottleGate(run, (wait) => run.setStep(wait === null ? step : `waiting: ${wait.sentence}`)).worker()
}

function isUnknownReading(wait: ThrottleWait): boolean {
  return wait !== null && wait.reason.endsWith('-unknown')
}

/** The limits that apply now: the limits of a backfill can be changed while it runs. */
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
