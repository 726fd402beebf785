import type { OperationState } from '../contract/index.ts'

/** Why a state changes. */
export type TransitionCause = 'claim' | 'pause' | 'resume' | 'cancel' | 'stand' | 'trouble' | 'end' | 'succeed' | 'fail'

/** The target state of each cause by source state; a combination that is not listed is refused. */
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
  /** The operation reached the requested safe point. */
  stand: { pausing: 'paused' },
  /** The operation is at a safe point and cannot continue until someone fixes the cause. */
  trouble: { running: 'paused', pausing: 'paused', cancelling: 'cancelled' },
  end: { cancelling: 'cancelled' },
  succeed: { running: 'succeeded', pausing: 'succeeded', cancelling: 'succeeded' },
  fail: { running: 'failed', pausing: 'failed', cancelling: 'failed' },
} satisfies Record<TransitionCause, Partial<Record<OperationState, OperationState>>>

export function nextState(state: OperationState, cause: TransitionCause): OperationState | null {
  return (TRANSITIONS[cause] as Partial<Record<OperationState, OperationState>>)[state] ?? null
}
