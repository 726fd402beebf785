import type { Facts } from '../engine/facts.ts'
import type { Table } from '../rollout/rollout.ts'
import { sortsAfterOurs } from './trigger.ts'

/** What would have to be true before the column and its trigger are added. */
export function expandRefusals(facts: Facts): string[] {
  return [
    ...facts.faults,
    ...(facts.expanded
      ? [`The column and its trigger are already on ${facts.rollout.table.sql}: start the backfill.`]
      : []),
    ...existingColumnFaults(facts),
    ...sortsAfterOurs(facts.table?.triggers ?? []).map(
      ({ name }) => `Trigger ${name} sorts after ours and would change a row behind our back: rename it.`,
    ),
  ]
}

/** Triggers that the trial write of expand does not reach, each as a note. */
export function untried(table: Table): string[] {
  return table.triggers
    .filter((one) => one.forEachRow && !one.onUpdate && !one.internal && !one.ours && one.enabled !== 'disabled')
    .map(
      ({ name }) =>
        `Trigger ${name} does not fire on UPDATE, so it is not tried: make sure that its function bears one more column (no "select new.*").`,
    )
}

/** Its type and whether it is generated are checked with the file (rollout/check.ts). */
function existingColumnFaults({ table, changes }: Facts): string[] {
  const column = table?.discriminator
  if (!column?.notNull || changes.some((change) => change.kind === 'not-null')) return []
  return [`Column ${column.sql} is NOT NULL already: drop that first, or choose another name.`]
}
