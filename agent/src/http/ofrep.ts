import { createHash } from 'node:crypto'
import { Hono, type Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { Flags } from '../flag/flags.ts'
import type { Evaluation } from '../flag/evaluation.ts'

const MAX_BODY_BYTES = 64 * 1024

/**
 * OFREP, the OpenFeature Remote Evaluation Protocol, at /ofrep/v1. Failures have the body that OFREP providers expect;
 * they handle 400, 404, and 500. Never 429: a provider then stops polling and misses that the flag goes off.
 */
export function ofrepRoutes(flags: Flags): Hono {
  const limit = bodyLimit({
    maxSize: MAX_BODY_BYTES,
    onError: (c) =>
      respondWithFailure(c, 413, {
        ...flagKeyFrom(c),
        errorCode: 'INVALID_CONTEXT',
        errorDetails: 'The body is too large.',
      }),
  })
  return new Hono()
    .post('/ofrep/v1/evaluate/flags/:key', limit, async (c) => {
      const key = c.req.param('key')
      const body = await parseContext(c)
      if ('errorCode' in body) return respondWithFailure(c, 400, { key, ...body })
      const evaluation = flags.evaluate(key, body.context, clientNameFrom(c))
      setAgeHeaders(c, flags)
      if ('errorCode' in evaluation)
        return respondWithFailure(c, evaluation.errorCode === 'FLAG_NOT_FOUND' ? 404 : 400, evaluation)
      return c.json(evaluation)
    })
    .post('/ofrep/v1/evaluate/flags', limit, async (c) => {
      const body = await parseContext(c)
      if ('errorCode' in body) return respondWithFailure(c, 400, body)
      const text = JSON.stringify({ flags: flags.evaluateAll(body.context, clientNameFrom(c)) })
      const etag = `"${createHash('sha256').update(text).digest('base64url')}"`
      setAgeHeaders(c, flags)
      c.header('etag', etag)
      if (matchesEtag(c.req.header('if-none-match'), etag)) return c.body(null, 304)
      return c.body(text, 200, { 'content-type': 'application/json' })
    })
}

interface OfrepFailure {
  readonly key?: string
  readonly errorCode: Extract<Evaluation, { errorCode: string }>['errorCode'] | 'PARSE_ERROR' | 'INVALID_CONTEXT'
  readonly errorDetails: string
}

function respondWithFailure(c: Context, status: 400 | 404 | 413, body: OfrepFailure): Response {
  return c.json(body, status)
}

function flagKeyFrom(c: Context): { key?: string } {
  const key = c.req.param('key')
  return key === undefined ? {} : { key }
}

async function parseContext(c: Context): Promise<{ context: Record<string, unknown> } | Omit<OfrepFailure, 'key'>> {
  let body: unknown
  try {
    body = JSON.parse((await c.req.text()) || '{}')
  } catch (error) {
    // Only a SyntaxError is the caller's fault; bodyLimit answers a body that is too large.
    if (!(error instanceof SyntaxError)) throw error
    return { errorCode: 'PARSE_ERROR', errorDetails: 'The body is not JSON.' }
  }
  if (!isObject(body)) return { errorCode: 'PARSE_ERROR', errorDetails: 'The body is not a JSON object.' }
  const context = body.context ?? {}
  if (!isObject(context)) return { errorCode: 'INVALID_CONTEXT', errorDetails: 'context is not an object.' }
  return { context }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function clientNameFrom(c: Context): string | null {
  return c.req.header('x-sti-client') ?? null
}

/** The age is sent in a header: in the body it would change the ETag every time. */
function setAgeHeaders(c: Context, flags: Flags): void {
  const age = flags.ageSeconds()
  c.header('x-sti-flag-age-seconds', age === null ? 'never' : age.toFixed(1))
  c.header('cache-control', 'no-store')
}

function matchesEtag(header: string | undefined, etag: string): boolean {
  return (header ?? '').split(',').some((candidate) => candidate.trim().replace(/^W\//, '') === etag)
}
