import type { RolloutFacts } from '../kind/facts.ts'
import { staleClientRefusals } from './waitForClients.ts'

export const NOTHING_TO_ROLL_BACK = 'There is nothing to roll back.'

/** Why data and system cannot be rolled back now. A fault in the rollout file does not block a rollback. */
export function rollbackRefusals(facts: RolloutFacts): string[] {
  const hasNothing = hasNothingToRollBack(facts)
  return [
    ...facts.blockers,
    ...droppedColumnRefusals(facts),
    ...(hasNothing ? [NOTHING_TO_ROLL_BACK] : staleClientRefusals(facts)),
  ]
}

/** No journaled change remains, and the column, if it exists, holds no values derived by STI. */
export function hasNothingToRollBack({ table, changes, mayHoldDerivedValues: holdsDerived }: RolloutFacts): boolean {
  return table !== null && changes.length === 0 && (table.discriminator === null || !holdsDerived)
}

/** Without the legacy columns there is nothing to go back to. */
export function droppedColumnRefusals({ rollout, table, stage, columnChanges }: RolloutFacts): string[] {
  if (columnChanges.length > 0) return [...columnChanges]
  const missingColumns = rollout.legacyColumns.filter((name) => !table?.columns.some((column) => column.name === name))
  if (table === null || (stage !== 'dropped' && (missingColumns.length === 0 || table.discriminator === null)))
    return []
  const columnNames = missingColumns.length > 0 ? missingColumns.join(', ') : rollout.legacyColumns.join(', ')
  return [
    `The legacy columns (${columnNames}) were dropped, so the type column is the only source of each row's type. Restore the legacy columns and their data first (run the down migration of the column drop).`,
  ]
}
