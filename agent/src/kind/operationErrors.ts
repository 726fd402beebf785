/** Ends an operation as failed. The code is stable; the message says what failed and what to do. */
export class OperationFailedError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

/** Pauses an operation at its safe point until a person has fixed the problem that the message names. */
export class OperationPausedError extends Error {
  readonly code = 'trouble'
}

/** Another agent holds the lane or the operation. The statement that found this wrote nothing. */
export class FenceLostError extends Error {
  readonly code = 'fence-lost'
}

/** Raised by the fence at the beginning of a DDL transaction. */
export const FENCE_LOST_SQLSTATE = 'STI01'

/** A pause or cancel request arrived before the DDL statement had its lock: nothing was changed. */
export class DdlStoppedError extends Error {
  readonly code = 'stopped'
}
