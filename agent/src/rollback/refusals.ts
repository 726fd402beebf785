import type { Facts } from '../engine/facts.ts'
import { staleClients } from './clients.ts'

export const NOTHING = 'There is nothing to take back.'

/** Why data and system can not be taken back now. A fault of the file must not close the way back. */
export function rollbackRefusals(facts: Facts): string[] {
  const nothing = nothingToTakeBack(facts)
  return [...facts.blockers, ...legacyGone(facts), ...(nothing ? [NOTHING] : staleClients(facts))]
}

/** No change of ours is left, and what the column holds, if it is there, was not derived by us. */
export function nothingToTakeBack({ table, changes, holdsDerived }: Facts): boolean {
  return table !== null && changes.length === 0 && (table.discriminator === null || !holdsDerived)
}

/** Once the legacy columns were dropped there is nothing to go back to. */
function legacyGone({ rollout, table, stage }: Facts): string[] {
  const gone = rollout.legacyColumns.filter((name) => !table?.columns.some((column) => column.name === name))
  if (table === null || (stage !== 'dropped' && (gone.length === 0 || table.discriminator === null))) return []
  const what = gone.length > 0 ? gone.join(', ') : rollout.legacyColumns.join(', ')
  return [
    `The legacy columns (${what}) were dropped, and only the type says what a row is: bring them and their data back first (run the migration down of the column drop).`,
  ]
}
