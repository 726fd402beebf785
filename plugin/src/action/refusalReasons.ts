import {
  AccessLevel,
  ACTION_LEVELS,
  type Action,
  type AgentStatus,
  type RolloutDetail,
} from '@sti-rollout/agent/contract'

const UNKNOWN_ACTION_REASONS = ['The agent does not know this action. Upgrade the agent to the version of this app.']
const UNEXPLAINED_REFUSAL_REASONS = ['The agent does not allow this action now.']

/** Why an action is refused now; empty if it is allowed. An action that the agent does not list is refused. */
export function refusalReasons({ actions }: Pick<RolloutDetail, 'actions'>, action: Action): readonly string[] {
  const allowedAction = actions.find((candidate) => candidate.action === action)
  if (!allowedAction) return UNKNOWN_ACTION_REASONS
  if (allowedAction.allowed) return []
  return allowedAction.reasons.length > 0 ? allowedAction.reasons : UNEXPLAINED_REFUSAL_REASONS
}

/** Why this person does not have the right to an action; empty if they have it. The agent checks it again. */
export function missingRightReasons({ you }: Pick<AgentStatus, 'you'>, action: Action): readonly string[] {
  if (!you.mayAct) return [you.why ?? 'You have read-only access.']
  const ascending = AccessLevel.options
  const required = ACTION_LEVELS[action]
  if (ascending.indexOf(you.level) >= ascending.indexOf(required)) return []
  return [`This requires the level ${required}; you have the level ${you.level}.`]
}
