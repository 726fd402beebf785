import type { Context, ErrorHandler, NotFoundHandler } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { ProblemCode, type Problem } from '../contract/index.ts'
import type { Log } from '../log.ts'
import { ShardUnavailableError } from '../citus/readShardLayout.ts'
import { errorCode, errorMessage, isConnectionError } from '../database/errors.ts'

/**
 * An error that is shown to the caller. Lower layers throw their own classes with the same shape: `code` is a
 * ProblemCode, `message` one sentence that says what to do, and `reasons` what must be true for the request to succeed.
 */
export class Refusal extends Error {
  readonly code: ProblemCode
  readonly reasons: readonly string[]
  constructor(code: ProblemCode, message: string, reasons: readonly string[] = []) {
    super(message)
    this.name = 'Refusal'
    this.code = code
    this.reasons = reasons
  }
}

type ProblemStatus = 400 | 403 | 404 | 409 | 413 | 415 | 422 | 500 | 503

/** The HTTP status of each code. Never 401, which Grafana's proxy treats as a lost login, and never 204. */
export function problemStatus(code: ProblemCode): ProblemStatus {
  switch (code) {
    case 'bad-request':
    case 'bad-path':
      return 400
    case 'forbidden':
      return 403
    case 'not-found':
    case 'unknown-rollout':
      return 404
    case 'refused':
    case 'nothing-to-roll-back':
    case 'conflict':
    case 'superseded':
    case 'wrong-environment':
      return 409
    case 'too-large':
      return 413
    case 'unsupported-media-type':
      return 415
    case 'invalid-body':
      return 422
    case 'internal':
      return 500
    case 'database-away':
      return 503
    default:
      return code satisfies never
  }
}

const PROBLEM_TITLES: Record<ProblemCode, string> = {
  'bad-request': 'Bad request',
  'bad-path': 'Bad path',
  forbidden: 'Forbidden',
  'not-found': 'Not found',
  'unknown-rollout': 'Unknown rollout',
  refused: 'Refused',
  'nothing-to-roll-back': 'Nothing to roll back',
  conflict: 'Conflict',
  superseded: 'Superseded',
  'wrong-environment': 'Wrong environment',
  'unsupported-media-type': 'Unsupported media type',
  'too-large': 'Too large',
  'invalid-body': 'Invalid body',
  'database-away': 'Database unavailable',
  internal: 'Internal error',
}

/** The part of an error that is shown to the caller; unexpected errors reveal no internals. */
export function toProblem(error: unknown): Problem & { status: ProblemStatus } {
  if (error instanceof HTTPException) return toProblemFromException(error)
  if (error instanceof Error && 'code' in error) {
    const code = ProblemCode.safeParse(error.code)
    if (code.success && code.data !== 'internal') {
      const reasons = 'reasons' in error && Array.isArray(error.reasons) ? error.reasons.map(String) : []
      return createProblem(code.data, error.message, reasons)
    }
  }
  const valueFault = explainRefusedValue(error)
  if (valueFault) return createProblem('invalid-body', valueFault)
  const fault = explainDatabaseUnavailable(error)
  if (fault) return createProblem('database-away', fault)
  return createProblem('internal', 'The agent had an internal error: see its log.')
}

function toProblemFromException(error: HTTPException): Problem & { status: ProblemStatus } {
  switch (error.status) {
    case 413:
      return createProblem('too-large', 'The body is too large.')
    case 415:
      return createProblem('unsupported-media-type', 'Send the body as application/json.')
    case 403:
      return createProblem('forbidden', 'This is not allowed.')
    case 404:
      return createProblem('not-found', 'This path does not exist.')
    default:
      return error.status < 500
        ? createProblem('bad-request', 'The request cannot be parsed: check that the body is JSON.')
        : createProblem('internal', 'The agent had an internal error: see its log.')
  }
}

function createProblem(
  code: ProblemCode,
  detail: string,
  reasons: readonly string[] = [],
): Problem & { status: ProblemStatus } {
  const status = problemStatus(code)
  return {
    type: `urn:sti-rollout:problem:${code}`,
    title: PROBLEM_TITLES[code],
    status,
    code,
    detail,
    ...(reasons.length > 0 ? { reasons: [...reasons] } : {}),
  }
}

function respondWithProblem(c: Context, body: Problem & { status: ProblemStatus }): Response {
  return c.body(JSON.stringify(body), body.status, { 'content-type': 'application/problem+json' })
}

/** Handlers for `app.onError` and `app.notFound`. Errors that are hidden from the caller are logged. */
export function createProblemHandlers(log: Log): { onError: ErrorHandler; notFound: NotFoundHandler } {
  return {
    onError(error, c) {
      const body = toProblem(error)
      if (body.code === 'database-away') log({ level: 'warning', message: errorMessage(error), path: c.req.path })
      else if (body.status >= 500)
        log({
          level: 'error',
          message: error.message,
          code: 'code' in error ? error.code : undefined,
          stack: error.stack,
          method: c.req.method,
          path: c.req.path,
          answered: body.code,
        })
      return respondWithProblem(c, body)
    },
    notFound: (c) => respondWithProblem(c, createProblem('not-found', 'This path does not exist.')),
  }
}

interface SchemaValidationResult {
  readonly success: boolean
  readonly target?: string
  readonly error?: { readonly issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[] }
}

/** The `defaultHook` of OpenAPIHono: reports each fault with its path. */
export function defaultHook(result: SchemaValidationResult, c: Context): Response | undefined {
  if (result.success) return undefined
  const reasons = (result.error?.issues ?? []).map((issue) =>
    issue.path.length > 0 ? `${issue.path.map(String).join('.')}: ${issue.message}` : issue.message,
  )
  if (result.target === 'json')
    return respondWithProblem(c, createProblem('invalid-body', 'The body is not valid for this endpoint.', reasons))
  return respondWithProblem(
    c,
    createProblem('bad-request', 'The query, path, or headers are not valid for this endpoint.', reasons),
  )
}

/** Values that PostgreSQL has no room for: a number, a time or a text out of its range, or too long for an index. */
const REFUSED_VALUE_SQLSTATES = new Set(['22001', '22003', '22007', '22008', '22021', '22P02', '22P05', '54000'])

/** What PostgreSQL says of a value of the request that passed every schema; null: it is something else. */
function explainRefusedValue(error: unknown): string | null {
  const code = errorCode(error)
  return code !== null && REFUSED_VALUE_SQLSTATES.has(code)
    ? `PostgreSQL rejected a value in this request (${errorMessage(error)}, ${code}): send another value.`
    : null
}

/** Why PostgreSQL is unavailable, if the same request may succeed later; else null. */
function explainDatabaseUnavailable(error: unknown): string | null {
  const code = errorCode(error)
  if (code === null) return null
  if (error instanceof ShardUnavailableError) return `${error.message} Try again once that node is back.`
  if (isConnectionError(error)) return 'The database is unreachable; try again once the agent reports it as available.'
  if (code === '53300') return 'The database has no free connections; try again.'
  if (code === '53100') return 'The disk of the database is full; free up space and try again.'
  if (/^53...$/.test(code)) return 'The database is out of resources; try again.'
  if (code === '25006') return 'The database is read-only; connect the agent to the primary.'
  if (code === '57014' || code === '55P03' || code === '40P01' || code === '40001')
    return 'The database did not answer in time; try again.'
  return null
}
