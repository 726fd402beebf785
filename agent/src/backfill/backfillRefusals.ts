import type { RolloutFacts } from '../kind/facts.ts'

/** Reasons why rows must not be written in bulk. Checked each time a backfill starts or resumes. */
export function backfillRefusals(facts: RolloutFacts): string[] {
  return [
    ...facts.faults,
    ...(facts.expanded ? [] : [notExpandedRefusal(facts)]),
    ...facts.undeclaredTriggers,
    ...(facts.flag.enabled ? ['The flag is on. Turn it off before the backfill.'] : []),
  ]
}

function notExpandedRefusal({ changes, triggerFault }: RolloutFacts): string {
  return changes.length > 0 && triggerFault !== null
    ? triggerFault
    : 'The column and its trigger do not exist yet. Run expand first.'
}
