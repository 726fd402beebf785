import type { Table, Trigger } from './rollout.ts'

/** Fires after every trigger with a name of letters and digits, and so after the application's own triggers. */
export const DERIVE_TRIGGER_NAME = '~sti_derive'

/** Triggers that could change a row after the dual-write trigger has derived its type. */
export function findLaterTriggers(triggers: readonly Trigger[]): Trigger[] {
  return triggers.filter(
    (trigger) =>
      trigger.timing === 'before' &&
      trigger.forEachRow &&
      (trigger.onInsert || trigger.onUpdate) &&
      !trigger.ours &&
      trigger.name > DERIVE_TRIGGER_NAME,
  )
}

/** Why expand is refused while there are such triggers, one sentence each. */
export const laterTriggerRefusals = (table: Pick<Table, 'triggers'> | null): string[] =>
  findLaterTriggers(table?.triggers ?? []).map(
    ({ name }) =>
      `Trigger ${name} fires after the dual-write trigger and could change a row after its type is derived. Rename it.`,
  )
