/**
 * The session does not have what the agent needs. The message contains the reason and what to do. Such a session does
 * no work, and its statements count as unanswered.
 */
export class SessionRefusedError extends Error {
  readonly code = 'SESSION_REFUSED'
}

const DIRECT = "Connect the agent to PostgreSQL's own address, or to a pool in session mode (docs/operations.md)."

export function sharedConnections(): SessionRefusedError {
  return new SessionRefusedError(
    `The address leads to a connection pooler that shares connections between clients (transaction pooling), so the agent would lose its settings. ${DIRECT}`,
  )
}

export function leftoverSettings(): SessionRefusedError {
  return new SessionRefusedError(
    'The connection pooler passes on the settings of an earlier session, so the settings of the agent would reach the application. ' +
      "Set server_reset_query = DISCARD ALL in the pooler, or connect the agent to PostgreSQL's own address (docs/operations.md).",
  )
}

export function refusedStatement(message: string): SessionRefusedError {
  return new SessionRefusedError(`The agent cannot set up its session: ${message}. ${DIRECT}`)
}

export function wrongSetting(name: string, actual: string | null, wanted: string, why: string): SessionRefusedError {
  return new SessionRefusedError(
    `The setting ${name} is ${actual === null ? 'missing' : `"${actual}"`} in the agent's session, not "${wanted}", so ${why}. ` +
      `If the role or the database sets it, reset it there (ALTER ROLE … RESET ${name}); otherwise: ${DIRECT}`,
  )
}
