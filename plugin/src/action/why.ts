import type { Action, RolloutDetail } from '@sti-rollout/agent/contract'

const UNKNOWN = ['The agent does not know this action: it is older than this app.']
const SILENT = ['The agent does not allow it now.']

/** Why an action may not be done now; empty when it may. An agent that says nothing about it does not allow it. */
export function why({ actions }: Pick<RolloutDetail, 'actions'>, action: Action): readonly string[] {
  const found = actions.find((each) => each.action === action)
  if (!found) return UNKNOWN
  if (found.allowed) return []
  return found.reasons.length > 0 ? found.reasons : SILENT
}
