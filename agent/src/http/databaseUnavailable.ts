import { errorCode, isConnectionError } from '../database/errors.ts'

/** A sentence when PostgreSQL is away or can take nothing now, and the same request may succeed later; else null. */
export function explainDatabaseUnavailable(error: unknown): string | null {
  const code = errorCode(error)
  if (code === null) return null
  if (isConnectionError(error)) return 'The database cannot be reached; try again when the agent says it is back.'
  if (code === '53300') return 'The database has no free connection; try again.'
  if (code === '53100') return 'The disk of the database is full; free space and try again.'
  if (/^53...$/.test(code)) return 'The database is short of resources; try again.'
  if (code === '25006') return 'The database is read only; point the agent at the primary.'
  if (code === '57014' || code === '55P03' || code === '40P01' || code === '40001')
    return 'The database did not answer in time; try again.'
  return null
}
