import type { Action, RolloutDetail } from '@sti-rollout/agent/contract'

const UNKNOWN_ACTION_REASONS = ['The agent does not know this action: it is older than this app.']
const UNEXPLAINED_REFUSAL_REASONS = ['The agent does not allow it now.']

/** Why an action may not be done now; empty when it may. An agent that says nothing about it does not allow it. */
export function refusalReasons({ actions }: Pick<RolloutDetail, 'actions'>, action: Action): readonly string[] {
  const allowedAction = actions.find((each) => each.action === action)
  if (!allowedAction) return UNKNOWN_ACTION_REASONS
  if (allowedAction.allowed) return []
  return allowedAction.reasons.length > 0 ? allowedAction.reasons : UNEXPLAINED_REFUSAL_REASONS
}
