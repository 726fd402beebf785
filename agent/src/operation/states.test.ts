import { expect, test } from 'vitest'
import { OperationState } from '../contract/index.ts'
import { ENDED, next, TRANSITIONS, type Cause } from './states.ts'

/** Every state and every cause; a state or cause that is missing here does not compile. */
const EXPECTED: Record<OperationState, Record<Cause, OperationState | null>> = {
  queued: row({ claim: 'running', pause: 'paused', cancel: 'cancelled' }),
  running: row({
    claim: 'running',
    pause: 'pausing',
    cancel: 'cancelling',
    trouble: 'paused',
    succeed: 'succeeded',
    fail: 'failed',
  }),
  pausing: row({
    claim: 'pausing',
    pause: 'pausing',
    resume: 'running',
    cancel: 'cancelling',
    stand: 'paused',
    trouble: 'paused',
    succeed: 'succeeded',
    fail: 'failed',
  }),
  paused: row({ resume: 'queued', cancel: 'cancelled' }),
  cancelling: row({
    claim: 'cancelling',
    cancel: 'cancelling',
    end: 'cancelled',
    trouble: 'cancelled',
    succeed: 'succeeded',
    fail: 'failed',
  }),
  cancelled: row({}),
  succeeded: row({}),
  failed: row({}),
}

function row(some: Partial<Record<Cause, OperationState>>): Record<Cause, OperationState | null> {
  const causes = Object.keys(TRANSITIONS) as Cause[]
  return Object.fromEntries(causes.map((cause) => [cause, some[cause] ?? null])) as Record<Cause, OperationState | null>
}

test('every state under every cause', () => {
  for (const state of OperationState.options) {
    for (const cause of Object.keys(TRANSITIONS) as Cause[]) {
      expect([state, cause, next(state, cause)]).toEqual([state, cause, EXPECTED[state][cause]])
    }
  }
})

test('what has ended stays ended, and every other state can still be cancelled', () => {
  for (const state of OperationState.options) {
    expect([state, next(state, 'cancel') === null]).toEqual([state, ENDED.includes(state)])
  }
})
