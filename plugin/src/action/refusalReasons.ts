import type { Action, RolloutDetail } from '@sti-rollout/agent/contract'

const UNKNOWN_ACTION_REASONS = ['The agent does not know this action. Upgrade the agent to the version of this app.']
const UNEXPLAINED_REFUSAL_REASONS = ['The agent does not allow this action now.']

/** Why an action is refused now; empty if it is allowed. An action that the agent does not list is refused. */
export function refusalReasons({ actions }: Pick<RolloutDetail, 'actions'>, action: Action): readonly string[] {
  const allowedAction = actions.find((candidate) => candidate.action === action)
  if (!allowedAction) return UNKNOWN_ACTION_REASONS
  if (allowedAction.allowed) return []
  return allowedAction.reasons.length > 0 ? allowedAction.reasons : UNEXPLAINED_REFUSAL_REASONS
}
