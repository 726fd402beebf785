/**
 * The one row of a statement that always answers one. The driver (postgres.js 3.4.9) keeps rows of an answer that was
 * cut off by a dying connection and puts them before the next answer: that must not be read as ours.
 */
export function onlyRow<T>(rows: readonly T[]): T {
  if (rows.length !== 1) throw new LostAnswer(`the answer has ${rows.length} rows instead of 1`)
  return rows[0]!
}

/** As good as a lost connection: the statement is asked again. */
class LostAnswer extends Error {
  readonly code = 'CONNECTION_CLOSED'
}
