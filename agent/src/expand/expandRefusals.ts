import type { RolloutFacts } from '../kind/facts.ts'
import type { Table } from '../rollout/rollout.ts'
import { findLaterTriggers } from '../dualWrite/deriveTrigger.ts'

/** What would have to be true before the column and its trigger are added. */
export function expandRefusals(facts: RolloutFacts): string[] {
  return [
    ...facts.faults,
    ...(facts.expanded
      ? [`The column and its trigger are already on ${facts.rollout.table.sql}: start the backfill.`]
      : []),
    ...existingColumnRefusals(facts),
    ...prefillRefusals(facts),
    ...reverseSyncRefusals(facts),
    ...findLaterTriggers(facts.table?.triggers ?? []).map(
      ({ name }) => `Trigger ${name} sorts after ours and would change a row behind our back: rename it.`,
    ),
  ]
}

/** Finalize has made the trigger of this file serve both ways, and nothing of ours has taken that back. */
export function hadReverseSync({ rollout, changes }: RolloutFacts): boolean {
  return changes.some((change) => change.kind === 'restore' && change.statement.includes(rollout.hash))
}

/** The trigger of a changed file only derives until finalize: it would take back what new code writes to the type. */
function reverseSyncRefusals(facts: RolloutFacts): string[] {
  const stood = facts.changes.some((change) => change.kind === 'restore')
  return facts.flag.enabled && stood && !hadReverseSync(facts)
    ? ['The flag is on, and the trigger of a changed rollout file takes back what new code writes: turn the flag off.']
    : []
}

/** Only a column that expand adds can be prefilled; one that is there, ours or not, is left to the backfill. */
export function needsPrefill({ rollout, table }: RolloutFacts): boolean {
  return rollout.file.prefill === 'majority' && table !== null && table.discriminator === null
}

/** From a prefill until the backfill has ended rows hold a wrong type: whoever reads by type then reads them wrong. */
function prefillRefusals(facts: RolloutFacts): string[] {
  if (!needsPrefill(facts)) return []
  const readers = facts.flag.clients.filter((client) => client.stale).map((client) => client.client)
  return [
    ...(facts.flag.enabled ? ['The flag is on: turn it off before the column is prefilled.'] : []),
    ...(readers.length > 0
      ? [
          `These clients may still read by type: ${readers.join(', ')}. Wait until they have asked for the flag, or accept each by name.`,
        ]
      : []),
  ]
}

/** Triggers that the trial write of expand does not reach, each as a note. */
export function untestedTriggerNotes(table: Table): string[] {
  return table.triggers
    .filter(
      (trigger) =>
        trigger.forEachRow && !trigger.onUpdate && !trigger.internal && !trigger.ours && trigger.enabled !== 'disabled',
    )
    .map(
      ({ name }) =>
        `Trigger ${name} does not fire on UPDATE, so it is not tried: make sure that its function bears one more column (no "select new.*").`,
    )
}

/** Its type and whether it is generated are checked with the file (rollout/check.ts). */
function existingColumnRefusals({ table, changes }: RolloutFacts): string[] {
  const column = table?.discriminator
  if (!column?.notNull || changes.some((change) => change.kind === 'not-null')) return []
  return [`Column ${column.sql} is NOT NULL already: drop that first, or choose another name.`]
}
