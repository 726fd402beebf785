import { SUSPICION_PROBABILITY } from '../../comparison/variantComparison.ts'
import type { SignalComparison } from '../../contract/index.ts'
import { healthyFinding, unhealthyFinding, unknownFinding, type ConditionFinding } from './conditionFinding.ts'

/** What the comparison with the control group says about one signal. */
export function comparisonFinding(
  subject: Pick<ConditionFinding, 'rule' | 'change'>,
  { verdict, probability, value, detail }: SignalComparison,
): ConditionFinding {
  const sentence = `${detail.charAt(0).toUpperCase()}${detail.slice(1)}.`
  // The evidence is valid however often it is looked at, so that one reading decides.
  if (verdict === 'fail') return unhealthyFinding(subject, sentence)
  if (value === null || probability < SUSPICION_PROBABILITY) return unknownFinding(subject, sentence)
  return healthyFinding(subject, sentence)
}
