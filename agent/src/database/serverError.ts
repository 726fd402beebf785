import postgres from 'postgres'
import { readErrorFields } from './protocol.ts'

/** The error of an ErrorResponse, as the driver throws it. */
export function serverError(body: Buffer): postgres.PostgresError {
  const fields = readErrorFields(body)
  return new postgres.PostgresError(fields as never)
}

/** The server ends the session after this error, without a ReadyForQuery. */
export function isFatal({ severity }: postgres.PostgresError): boolean {
  return severity === 'FATAL' || severity === 'PANIC'
}
