/** What an error of PostgreSQL or of the connection to it means for work on a table. */
export type ErrorClass =
  /** The row's own fault: a value it holds, a constraint, a trigger of the application that refuses it. */
  | 'row'
  /** It passes by itself: deadlock, serialization, lock time-out, a lost connection. */
  | 'retry'
  /** Cancelled or timed out: a smaller piece may get through, a few times. */
  | 'halve'
  /** The connection leads to a standby. */
  | 'standby'
  /** The server needs a person: disk full, too many connections, I/O or internal errors. */
  | 'pause'
  /** The operation can never succeed as things are: a table or column gone, no permission. */
  | 'fail'

/** SQLSTATE of a PostgreSQL error, or the driver's or the socket's own code; null when it is neither. */
export function errorCode(error: unknown): string | null {
  if (error === null || typeof error !== 'object' || !('code' in error)) return null
  return typeof error.code === 'string' ? error.code : null
}

/** The connection is gone, or could not be made: SQLSTATEs of a server that goes, the driver's codes, the socket's. */
const CONNECTION_ERROR_CODES = new Set([
  ...['57P01', '57P02', '57P03', '57P04', '57P05'],
  ...['CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT', 'CONNECTION_CONNECT_TIMEOUT'],
  ...[
    'ECONNREFUSED',
    'ECONNRESET',
    'ECONNABORTED',
    'EPIPE',
    'EPROTO',
    'ETIMEDOUT',
    'ENOTFOUND',
    'EAI_AGAIN',
    'EAI_FAIL',
  ],
  ...['EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN', 'EADDRNOTAVAIL', 'ENOENT', 'EMFILE', 'ENFILE'],
])
const TRANSIENT_SQLSTATES = new Set(['40001', '40P01', '55P03', '55006'])

/** Sorts an error by its SQLSTATE class. What is not an error of the database is a fault of ours: it fails the operation. */
export function classifyError(error: unknown): ErrorClass {
  const code = errorCode(error)
  if (code === null) return 'fail'
  if (isConnectionError(error) || TRANSIENT_SQLSTATES.has(code)) return 'retry'
  if (code === '57014') return 'halve'
  if (code === '25006') return 'standby'
  if (code === 'P0001' || /^(22|23|44)...$/.test(code)) return 'row'
  if (/^(53|58|XX)...$/.test(code)) return 'pause'
  return 'fail'
}

/** The database cannot be reached, as opposed to: it answered with an error. */
export function isConnectionError(error: unknown): boolean {
  const code = errorCode(error)
  return code !== null && (CONNECTION_ERROR_CODES.has(code) || /^(08...|ERR_(TLS|SSL)_.+)$/.test(code))
}

export function errorMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** Ends an operation as failed with one stable code and one sentence that says what to do. */
export class OperationFailedError extends Error {
  readonly code: string
  constructor(code: string, sentence: string) {
    super(sentence)
    this.code = code
  }
}

/** Stands an operation at its safe point until a person has mended what the sentence names. */
export class OperationPausedError extends Error {
  readonly code = 'trouble'
}

/** Raised by the fence at the beginning of a DDL transaction. */
export const FENCE_LOST_SQLSTATE = 'STI01'
