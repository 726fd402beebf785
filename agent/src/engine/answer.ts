/**
 * The one row of a statement that always answers one. After a connection has died in the middle of an answer the driver
 * (postgres.js 3.4.9) begins the next answer with as many holes as rows had come: that must not be read as no row.
 */
export function onlyRow<T>(rows: readonly T[]): T {
  if (rows.length !== 1) throw new LostAnswer(`the answer has ${rows.length} rows instead of 1`)
  return rows[0]!
}

/** As good as a lost connection: the statement is asked again. */
class LostAnswer extends Error {
  readonly code = 'CONNECTION_CLOSED'
}
