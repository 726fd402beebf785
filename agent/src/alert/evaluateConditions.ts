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
 * Evaluates each condition that the agent can read; pure. The application's conditions are evaluated only while a change is
 * active, since otherwise there is nothing to roll back.
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

/** Reports a finding as unhealthy only after it has been unhealthy in every evaluation for `requiredMs`. */
export interface FindingDebouncer {
  debounce(findings: readonly ConditionFinding[], now: number): ConditionFinding[]
}

export function createFindingDebouncer(): FindingDebouncer {
  let unhealthySince = new Map<string, number>()
  return {
    debounce(findings, now) {
      const nextUnhealthySince = new Map<string, number>()
      const debounced = findings.map((finding): ConditionFinding => {
        if (finding.state !== 'unhealthy') return finding
        const key = `${finding.rule} ${finding.change}`
        const began = unhealthySince.get(key) ?? now
        nextUnhealthySince.set(key, began)
        if (now - began >= finding.requiredMs) return finding
        const requirement = `unhealthy once this lasts ${finding.requiredMs / 1_000} s`
        return { ...finding, state: 'unknown', sentence: `${finding.sentence.replace(/\.$/, '')}; ${requirement}.` }
      })
      unhealthySince = nextUnhealthySince
      return debounced
    },
  }
}
