import { IncompleteResultError } from './incompleteResultGuard.ts'

/**
 * The only row of a statement that always returns one. Without it the result was lost, which must not be read as no
 * row.
 */
export function onlyRow<T>(rows: readonly T[]): T {
  if (rows.length !== 1) throw new IncompleteResultError(`the result has ${rows.length} rows instead of 1`)
  return rows[0]!
}
