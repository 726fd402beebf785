import { expect, test } from 'vitest'
import { OperationState } from '../contract/index.ts'
import { ENDED_STATES, nextState, TRANSITIONS, type TransitionCause } from './stateMachine.ts'

/** Every state and every cause; a state or cause that is missing here does not compile. */
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

test('every state under every cause', () => {
  for (const state of OperationState.options) {
    for (const cause of Object.keys(TRANSITIONS) as TransitionCause[]) {
      expect([state, cause, nextState(state, cause)]).toEqual([state, cause, EXPECTED_TRANSITIONS[state][cause]])
    }
  }
})

test('what has ended stays ended, and every other state can still be cancelled', () => {
  for (const state of OperationState.options) {
    expect([state, nextState(state, 'cancel') === null]).toEqual([state, ENDED_STATES.includes(state)])
  }
})
