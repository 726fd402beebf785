import type { RolloutFacts } from '../kind/facts.ts'
import { staleClientRefusals } from './waitForClients.ts'

export const NOTHING_TO_ROLL_BACK = 'There is nothing to take back.'

/** Why data and system can not be taken back now. A fault of the file must not close the way back. */
export function rollbackRefusals(facts: RolloutFacts): string[] {
  const hasNothing = hasNothingToRollBack(facts)
  return [
    ...facts.blockers,
    ...droppedColumnRefusals(facts),
    ...(hasNothing ? [NOTHING_TO_ROLL_BACK] : staleClientRefusals(facts)),
  ]
}

/** No change of ours is left, and what the column holds, if it is there, was not derived by us. */
export function hasNothingToRollBack({ table, changes, mayHoldDerivedValues: holdsDerived }: RolloutFacts): boolean {
  return table !== null && changes.length === 0 && (table.discriminator === null || !holdsDerived)
}

/** Once the legacy columns were dropped there is nothing to go back to. */
function droppedColumnRefusals({ rollout, table, stage }: RolloutFacts): string[] {
  const missingColumns = rollout.legacyColumns.filter((name) => !table?.columns.some((column) => column.name === name))
  if (table === null || (stage !== 'dropped' && (missingColumns.length === 0 || table.discriminator === null)))
    return []
  const columnNames = missingColumns.length > 0 ? missingColumns.join(', ') : rollout.legacyColumns.join(', ')
  return [
    `The legacy columns (${columnNames}) were dropped, and only the type says what a row is: bring them and their data back first (run the migration down of the column drop).`,
  ]
}
