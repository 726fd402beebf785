import type { ConditionReading } from '../../contract/index.ts'
import type { AlertRuleName } from '../alertRules.ts'

/** The agent's own reading of one rule, for one change. */
export interface ConditionFinding extends ConditionReading {
  readonly rule: AlertRuleName
  /** Such as flag-12; new for each change of the flag and each operation. */
  readonly change: string
  /** How long the finding has to be unhealthy in every evaluation before it is reported, in milliseconds. */
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
/** The application's requests cannot be read, for this reason. */
export const unreadableFinding = (
  subject: FindingSubject,
  { unknown }: { readonly unknown: string },
): ConditionFinding => unknownFinding(subject, `Cannot read the application: ${unknown}.`)
export const unhealthyFinding = (subject: FindingSubject, sentence: string, requiredMs = 0): ConditionFinding => ({
  ...subject,
  state: 'unhealthy',
  sentence,
  requiredMs,
})
