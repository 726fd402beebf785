import type { ConditionReading } from '../../contract/index.ts'
import type { AlertRuleName } from '../alertRules.ts'

/** What the agent itself reads of one rule, about one change. */
export interface ConditionFinding extends ConditionReading {
  readonly rule: AlertRuleName
  /** What it is about, such as flag-12: a new one for each change of the flag and each operation. */
  readonly change: string
  /** How long it has to be unhealthy at every look before it counts, in milliseconds. */
  readonly requiredMs: number
}

type FindingSubject = Pick<ConditionFinding, 'rule' | 'change'>

export const healthyFinding = (subject: FindingSubject, sentence: string): ConditionFinding => ({
  ...subject,
  state: 'healthy',
  sentence,
  requiredMs: 0,
})
export const unknownFinding = (subject: FindingSubject, sentence: string): ConditionFinding => ({
  ...subject,
  state: 'unknown',
  sentence,
  requiredMs: 0,
})
export const unhealthyFinding = (subject: FindingSubject, sentence: string, requiredMs = 0): ConditionFinding => ({
  ...subject,
  state: 'unhealthy',
  sentence,
  requiredMs,
})
