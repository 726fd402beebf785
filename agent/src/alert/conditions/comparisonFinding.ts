import { SUSPICION_PROBABILITY } from '../../comparison/variantComparison.ts'
import type { SignalComparison } from '../../contract/index.ts'
import { capitalize } from '../../format/format.ts'
import { isKnown } from '../../signals/reading.ts'
import type { ApplicationInput } from './conditionInput.ts'
import {
  healthyFinding,
  unhealthyFinding,
  unknownFinding,
  unreadableFinding,
  type ConditionFinding,
} from './conditionFinding.ts'

/** What the control group says about one signal; null: there is none, and the baseline decides. */
export function controlGroupFinding(
  subject: Pick<ConditionFinding, 'rule' | 'change'>,
  { comparison, requests }: Pick<ApplicationInput, 'comparison' | 'requests'>,
  signal: 'latency' | 'errors',
): ConditionFinding | null {
  if (comparison === null) return null
  return isKnown(requests) ? comparisonFinding(subject, comparison[signal]) : unreadableFinding(subject, requests)
}

function comparisonFinding(
  subject: Pick<ConditionFinding, 'rule' | 'change'>,
  { verdict, probability, value, detail }: SignalComparison,
): ConditionFinding {
  const sentence = `${capitalize(detail)}.`
  // The evidence is valid however often it is looked at, so that one reading decides.
  if (verdict === 'fail') return unhealthyFinding(subject, sentence)
  if (value === null || probability < SUSPICION_PROBABILITY) return unknownFinding(subject, sentence)
  return healthyFinding(subject, sentence)
}
