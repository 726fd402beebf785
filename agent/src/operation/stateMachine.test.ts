import { expect, test } from 'vitest'
import { isEnded, OperationState } from '../contract/index.ts'
import { nextState, TRANSITIONS, type TransitionCause } from './stateMachine.ts'

/** Every state and every cause; a missing one does not compile. */
const EXPECTED_TRANSITIONS: Record<OperationState, Record<TransitionCause, OperationState | null>> = {
  queued: transitionsFrom({ claim: 'running', pause: 'paused', cancel: 'cancelled' }),
  running: transitionsFrom({
    claim: 'running',
    pause: 'pausing',
    cancel: 'cancelling',
    trouble: 'paused',
    succeed: 'succeeded',
    fail: 'failed',
  }),
  pausing: transitionsFrom({
    claim: 'pausing',
    pause: 'pausing',
    resume: 'running',
    cancel: 'cancelling',
    stand: 'paused',
    trouble: 'paused',
    succeed: 'succeeded',
    fail: 'failed',
  }),
  paused: transitionsFrom({ resume: 'queued', cancel: 'cancelled' }),
  cancelling: transitionsFrom({
    claim: 'cancelling',
    cancel: 'cancelling',
    end: 'cancelled',
    trouble: 'cancelled',
    succeed: 'succeeded',
    fail: 'failed',
  }),
  cancelled: transitionsFrom({}),
  succeeded: transitionsFrom({}),
  failed: transitionsFrom({}),
}

function transitionsFrom(
  allowed: Partial<Record<TransitionCause, OperationState>>,
): Record<TransitionCause, OperationState | null> {
  const causes = Object.keys(TRANSITIONS) as TransitionCause[]
  return Object.fromEntries(causes.map((cause) => [cause, allowed[cause] ?? null])) as Record<
    TransitionCause,
    OperationState | null
  >
}

test('each cause changes each state as listed, or is refused', () => {
  for (const state of OperationState.options) {
    for (const cause of Object.keys(TRANSITIONS) as TransitionCause[]) {
      expect([state, cause, nextState(state, cause)]).toEqual([state, cause, EXPECTED_TRANSITIONS[state][cause]])
    }
  }
})

test('ended states never change, and every other state can be cancelled', () => {
  for (const state of OperationState.options) {
    expect([state, nextState(state, 'cancel') === null]).toEqual([state, isEnded(state)])
  }
})
