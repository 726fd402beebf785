import type { RolloutFacts } from '../kind/facts.ts'

/** What would have to be true before rows are written in bulk; asked again each time the backfill goes on. */
export function backfillRefusals(facts: RolloutFacts): string[] {
  return [
    ...facts.faults,
    ...(facts.expanded ? [] : [notExpandedRefusal(facts)]),
    ...facts.undeclaredTriggers,
    ...(facts.flag.enabled ? ['The flag is on: turn it off before rows are written in bulk.'] : []),
  ]
}

function notExpandedRefusal({ changes, triggerFault }: RolloutFacts): string {
  return changes.length > 0 && triggerFault !== null
    ? triggerFault
    : 'The column and its trigger are not there yet: expand first.'
}
