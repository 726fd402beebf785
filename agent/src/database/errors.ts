/** Kinds of errors from PostgreSQL or from the connection to it. */
export type ErrorClass =
  /** Caused by the row: a value it holds, a constraint, or an application trigger that raises. */
  | 'row'
  /** Resolves without intervention: deadlock, serialization failure, lock timeout, lost connection. */
  | 'transient'
  /** The statement was cancelled or timed out: a smaller one may succeed. */
  | 'cancelled'
  /** The connection leads to a standby. */
  | 'standby'
  /** The server needs a person: disk full, too many connections, I/O errors, internal errors. */
  | 'server'
  /** Repeating the statement cannot help: missing table or column, missing privilege, or not a database error. */
  | 'permanent'

/** SQLSTATE of a PostgreSQL error, or the code of the driver or the socket; null if the error has none. */
export function errorCode(error: unknown): string | null {
  if (error === null || typeof error !== 'object' || !('code' in error)) return null
  return typeof error.code === 'string' ? error.code : null
}

/** The connection was lost or refused: SQLSTATEs of a server that shuts down, codes of the driver, codes of the socket. */
const CONNECTION_ERROR_CODES = new Set([
  // The session lacks settings (sessionRefused.ts): as good as no connection, until somebody changes the address.
  'SESSION_REFUSED',
  ...['57P01', '57P02', '57P03', '57P04', '57P05'],
  ...['CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'CONNECT_TIMEOUT', 'CONNECTION_CONNECT_TIMEOUT'],
  ...['ECONNREFUSED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'EPROTO', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN'],
  ...[
    'EAI_FAIL',
    'EHOSTUNREACH',
    'EHOSTDOWN',
    'ENETUNREACH',
    'ENETDOWN',
    'EADDRNOTAVAIL',
    'ENOENT',
    'EMFILE',
    'ENFILE',
  ],
])
const TRANSIENT_SQLSTATES = new Set(['40001', '40P01', '55P03', '55006'])

/** Classifies an error by its SQLSTATE. An error without a code is a bug in the agent, and so permanent. */
export function classifyError(error: unknown): ErrorClass {
  const code = errorCode(error)
  if (code === null) return 'permanent'
  if (isConnectionError(error) || TRANSIENT_SQLSTATES.has(code)) return 'transient'
  if (code === '57014') return 'cancelled'
  if (code === '25006') return 'standby'
  // 54000: the row is longer than a page, or a value longer than an index takes.
  if (code === 'P0001' || code === '54000' || /^(22|23|44)...$/.test(code)) return 'row'
  if (/^(53|58|XX)...$/.test(code)) return 'server'
  return 'permanent'
}

/**
 * True if the database refused a value of the statement, such as a text that its encoding does not have or that is too long
 * for an index: the same statement fails again.
 */
export function isValueRefused(error: unknown): boolean {
  const code = errorCode(error) ?? ''
  return (classifyError(error) === 'row' && code !== '23505') || /^54...$/.test(code)
}

/** True if the database cannot be reached, as opposed to a database that answered with an error. */
export function isConnectionError(error: unknown): boolean {
  const code = errorCode(error)
  return code !== null && (CONNECTION_ERROR_CODES.has(code) || /^(08...|ERR_(TLS|SSL)_.+)$/.test(code))
}

/** The statement waited for a lock for longer than `lock_timeout`. */
export function isLockTimeout(error: unknown): boolean {
  return errorCode(error) === '55P03'
}

/** The message with PostgreSQL's HINT, which often names the setting to change; its DETAIL can show values of a row. */
export function errorMessageWithHint(error: unknown): string {
  const { hint } = (error ?? {}) as { hint?: unknown }
  if (typeof hint !== 'string' || hint === '') return errorMessage(error)
  return `${errorMessage(error).replace(/\.$/, '')}. ${hint.replace(/\.$/, '')}.`
}

/** What an error says; one of the connection, of which the driver says only its code and address, in words. */
export function errorMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const [, code, address] = /^write (CONNECT(?:ION)?_[A-Z_]+) (.+)$/.exec(error.message) ?? []
  const describe = DRIVER_ERRORS[code ?? '']
  return describe === undefined ? error.message : describe(address!)
}

const DRIVER_ERRORS: Readonly<Record<string, (address: string) => string>> = {
  CONNECTION_CLOSED: (address) => `PostgreSQL at ${address} closed the connection`,
  CONNECTION_DESTROYED: (address) => `the connection to PostgreSQL at ${address} was closed before an answer came`,
  CONNECTION_ENDED: (address) => `the connection to PostgreSQL at ${address} is closed`,
  CONNECT_TIMEOUT: (address) => `PostgreSQL at ${address} did not accept a connection in time`,
}

/** An unknown table, function, operator or type. */
const UNKNOWN_NAME_SQLSTATES: ReadonlySet<string> = new Set(['42P01', '42883', '42704'])

/**
 * What to do about an error that a function of the application raised while a statement of the agent fired its triggers, with
 * the function. Null: the error was not raised in one.
 */
export function applicationFunctionAdvice(error: unknown): string | null {
  const { where } = (error ?? {}) as { where?: unknown }
  if (typeof where !== 'string') return null
  const context = where
    .split('\n')
    .find((line) => /\bfunction (?!inline_code_block|sti\.)/i.test(line))
    ?.trim()
  if (context === undefined) return null
  const code = errorCode(error) ?? ''
  const cause = `It was raised by the application, in ${context}.`
  if (UNKNOWN_NAME_SQLSTATES.has(code))
    return `${cause} That function resolves names with the search_path of the session, and the agent's contains only schemas in which no untrusted role can create objects: run ALTER FUNCTION … SET search_path = …, or write the names with their schema`
  if (code === '42501')
    return `${cause} A trigger runs with the privileges of the role that writes: GRANT what that function needs to the agent’s role, or make it SECURITY DEFINER`
  return `${cause} Correct that function so that it works for one more column and for writes of the agent’s role`
}
