import { IncompleteResultError } from './incompleteResultGuard.ts'

/** The one row of a statement that always answers one; without it the answer was lost, and must not be read as no row. */
export function onlyRow<T>(rows: readonly T[]): T {
  if (rows.length !== 1) throw new IncompleteResultError(`the answer has ${rows.length} rows instead of 1`)
  return rows[0]!
}
