import type { OperationState } from '../contract/index.ts'

/** Why a state changes. */
export type TransitionCause = 'claim' | 'pause' | 'resume' | 'cancel' | 'stand' | 'trouble' | 'end' | 'succeed' | 'fail'

/** From which states each cause leads where; whatever is not listed is refused. */
export const TRANSITIONS = {
  claim: { queued: 'running', running: 'running', pausing: 'pausing', cancelling: 'cancelling' },
  pause: { queued: 'paused', running: 'pausing', pausing: 'pausing' },
  resume: { paused: 'queued', pausing: 'running' },
  cancel: {
    queued: 'cancelled',
    running: 'cancelling',
    pausing: 'cancelling',
    paused: 'cancelled',
    cancelling: 'cancelling',
  },
  /** It reached the safe point that was asked for. */
  stand: { pausing: 'paused' },
  /** It cannot go on until somebody mends something, and stands at a safe point. */
  trouble: { running: 'paused', pausing: 'paused', cancelling: 'cancelled' },
  end: { cancelling: 'cancelled' },
  succeed: { running: 'succeeded', pausing: 'succeeded', cancelling: 'succeeded' },
  fail: { running: 'failed', pausing: 'failed', cancelling: 'failed' },
} satisfies Record<TransitionCause, Partial<Record<OperationState, OperationState>>>

export const ENDED_STATES: readonly OperationState[] = ['cancelled', 'succeeded', 'failed']

export function nextState(state: OperationState, cause: TransitionCause): OperationState | null {
  return (TRANSITIONS[cause] as Partial<Record<OperationState, OperationState>>)[state] ?? null
}
