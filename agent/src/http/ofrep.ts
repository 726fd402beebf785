import { createHash, randomBytes } from 'node:crypto'
import { Hono, type Context } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import type { FlagRequester } from '../flag/clientRegistry.ts'
import type { Flags } from '../flag/flags.ts'
import type { Evaluation } from '../flag/evaluation.ts'
import { UNSTORABLE_TEXT } from '../contract/index.ts'
import { findUnstorableField } from './rejectUnstorableText.ts'

const MAX_BODY_BYTES = 64 * 1024
/** Bytes of the secret part of an ETag: nobody guesses it. */
const INSTANCE_BYTES = 16

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
      if ('errorCode' in body) return respondWithFailure(c, body.status, { key, ...toFailure(body) })
      const evaluation = flags.evaluate(key, body.context, { name: clientNameFrom(c), instance: null })
      setAgeHeaders(c, flags)
      if ('errorCode' in evaluation)
        return respondWithFailure(c, evaluation.errorCode === 'FLAG_NOT_FOUND' ? 404 : 400, evaluation)
      return c.json(evaluation)
    })
    .post('/ofrep/v1/evaluate/flags', limit, async (c) => {
      const body = await parseContext(c)
      if ('errorCode' in body) return respondWithFailure(c, body.status, toFailure(body))
      const presented = parseEtags(c.req.header('if-none-match'))
      const ownSecret = instanceHeaderFrom(c)
      const etagSecret = presented.find(({ secret }) => secret !== '')?.secret ?? mintSecret()
      const requester: FlagRequester = {
        name: clientNameFrom(c),
        instance: hashInstance(ownSecret ?? etagSecret),
      }
      const text = JSON.stringify({ flags: flags.evaluateAll(body.context, requester) })
      const hash = createHash('sha256').update(text).digest('base64url')
      setAgeHeaders(c, flags)
      c.header('etag', ownSecret === null ? `"${hash}.${etagSecret}"` : `"${hash}"`)
      if (presented.some((etag) => etag.hash === hash)) return c.body(null, 304)
      return c.body(text, 200, { 'content-type': 'application/json' })
    })
}

interface OfrepFailure {
  readonly key?: string
  readonly errorCode: Extract<Evaluation, { errorCode: string }>['errorCode'] | 'PARSE_ERROR' | 'INVALID_CONTEXT'
  readonly errorDetails: string
}

function respondWithFailure(c: Context, status: 400 | 404 | 413 | 422, body: OfrepFailure): Response {
  return c.json(body, status)
}

function flagKeyFrom(c: Context): { key?: string } {
  const key = c.req.param('key')
  return key === undefined ? {} : { key }
}

type ContextFailure = Omit<OfrepFailure, 'key'> & { readonly status: 400 | 422 }

const toFailure = ({ errorCode, errorDetails }: ContextFailure): OfrepFailure => ({ errorCode, errorDetails })

const contextFailure = (
  errorCode: OfrepFailure['errorCode'],
  errorDetails: string,
  status: 400 | 422 = 400,
): ContextFailure => ({ errorCode, errorDetails, status })

async function parseContext(c: Context): Promise<{ context: Record<string, unknown> } | ContextFailure> {
  let body: unknown
  try {
    body = JSON.parse((await c.req.text()) || '{}')
  } catch (error) {
    // Only a SyntaxError is the caller's fault; bodyLimit answers a body that is too large.
    if (!(error instanceof SyntaxError)) throw error
    return contextFailure('PARSE_ERROR', 'The body is not JSON.')
  }
  if (!isObject(body)) return contextFailure('PARSE_ERROR', 'The body is not a JSON object.')
  const unstorable = findUnstorableField(body)
  if (unstorable !== null) return contextFailure('INVALID_CONTEXT', `${unstorable}: ${UNSTORABLE_TEXT}`, 422)
  const context = body.context ?? {}
  if (!isObject(context)) return contextFailure('INVALID_CONTEXT', 'context is not an object.')
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

/**
 * What only this process knows, if it sends it: its ETag alone is lost with its context, such as when another person logs
 * in.
 */
function instanceHeaderFrom(c: Context): string | null {
  const value = c.req.header('x-sti-instance') ?? ''
  return /^[\x21-\x7e]{16,200}$/.test(value) ? value : null
}

const mintSecret = (): string => randomBytes(INSTANCE_BYTES).toString('base64url')

/** The secret itself is stored nowhere and shown to nobody, so that no other client can send it. */
const hashInstance = (secret: string): string => createHash('sha256').update(secret).digest('base64url').slice(0, 16)

/** The ETags of the header as this agent gives them: the hash of an answer, and a secret for the one who has it. */
function parseEtags(header: string | undefined): { readonly hash: string; readonly secret: string }[] {
  return (header ?? '').split(',').flatMap((candidate) => {
    const [, hash, secret = ''] = /^(?:W\/)?"([\w-]{43})(?:\.([\w-]{22}))?"$/.exec(candidate.trim()) ?? []
    return hash === undefined ? [] : [{ hash, secret }]
  })
}
