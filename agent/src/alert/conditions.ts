import { errorCondition } from './conditions/errors.ts'
import type { Finding } from './conditions/finding.ts'
import { latencyCondition } from './conditions/latency.ts'
import { underWay, type Seen } from './conditions/seen.ts'
import { discrepancyCondition, errorBudgetCondition, inconsistentCondition } from './conditions/state.ts'

/**
 * What the agent itself reads of each rule that it can read: pure. Of the application nothing is said while nothing of
 * ours is under way, since nothing of it could be taken back.
 */
export function findingsOf(seen: Seen): Finding[] {
  const change = underWay(seen)
  return [
    change === null ? null : latencyCondition(change, seen),
    change === null ? null : errorCondition(change, seen),
    discrepancyCondition(seen),
    errorBudgetCondition(seen),
    inconsistentCondition(seen),
  ].filter((finding) => finding !== null)
}
