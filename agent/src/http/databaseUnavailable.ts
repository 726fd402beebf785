import { errorCode, isConnectionError } from '../database/errors.ts'

/** Why PostgreSQL is unavailable, if the same request may succeed later; else null. */
export function explainDatabaseUnavailable(error: unknown): string | null {
  const code = errorCode(error)
  if (code === null) return null
  if (isConnectionError(error)) return 'The database is unreachable; try again once the agent reports it as available.'
  if (code === '53300') return 'The database has no free connections; try again.'
  if (code === '53100') return 'The disk of the database is full; free up space and try again.'
  if (/^53...$/.test(code)) return 'The database is out of resources; try again.'
  if (code === '25006') return 'The database is read-only; connect the agent to the primary.'
  if (code === '57014' || code === '55P03' || code === '40P01' || code === '40001')
    return 'The database did not answer in time; try again.'
  return null
}
