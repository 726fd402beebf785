import { errorRateCondition } from './conditions/errorRate.ts'
import type { ConditionFinding } from './conditions/conditionFinding.ts'
import { latencyCondition } from './conditions/latency.ts'
import { activeChange, type ConditionInput } from './conditions/conditionInput.ts'
import {
  discrepancyCondition,
  errorBudgetCondition,
  flagConsistencyCondition,
} from './conditions/databaseConditions.ts'

/**
 * What the agent itself reads of each rule that it can read: pure. Of the application nothing is said while nothing of
 * ours is under way, since nothing of it could be taken back.
 */
export function evaluateConditions(input: ConditionInput): ConditionFinding[] {
  const change = activeChange(input)
  return [
    change === null ? null : latencyCondition(change, input),
    change === null ? null : errorRateCondition(change, input),
    discrepancyCondition(input),
    errorBudgetCondition(input),
    flagConsistencyCondition(input),
  ].filter((finding) => finding !== null)
}
