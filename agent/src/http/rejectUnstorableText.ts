import type { Context, MiddlewareHandler } from 'hono'
import { findUnstorableText, isStorableText, UNSTORABLE_TEXT } from '../contract/index.ts'
import { toVisibleJson } from '../format/visibleText.ts'
import { Refusal } from './problem.ts'

/** U+0000, or a surrogate as UTF-8 would never encode it. */
const UNSTORABLE_IN_URL = /%00|%ed%[ab][0-9a-f]%[89ab][0-9a-f]/i

/** Where a request has text that PostgreSQL cannot store, outside of its body; null: nowhere. */
function findUnstorableParameter(c: Context): string | null {
  const url = new URL(c.req.url)
  if (UNSTORABLE_IN_URL.test(url.pathname)) return 'the path'
  if (UNSTORABLE_IN_URL.test(url.search)) return 'the query'
  for (const [name, value] of c.req.raw.headers) if (!isStorableText(value)) return `the header ${name}`
  return null
}

/** Where a parsed body has such text; null: nowhere. */
export function findUnstorableField(body: unknown): string | null {
  const path = findUnstorableText(body)
  if (path === null) return null
  // A key is quoted as JSON: it may be the text that cannot be stored.
  return path.length === 0
    ? 'the body'
    : path.map((part) => (isPlain(part) ? String(part) : toVisibleJson(part))).join('.')
}

/**
 * Refuses text that PostgreSQL cannot store, in every field, parameter and header of every route: stored later, it would
 * fail where no caller learns of it. Webhooks are excluded: their messages come from machines, and one alert must not lose
 * the others (alert/parseWebhook.ts).
 */
export const rejectUnstorableText: MiddlewareHandler = async (c, next) => {
  const parameter = findUnstorableParameter(c)
  if (parameter !== null) throw refusal(parameter)
  const hasJsonBody = /^application\/(?:[\w.+-]+\+)?json\b/i.test(c.req.header('content-type') ?? '')
  if (hasJsonBody && c.req.path.startsWith('/v1/') && !c.req.path.startsWith('/v1/webhooks/')) {
    const field = findUnstorableField(parseJson(await c.req.text()))
    if (field !== null) throw refusal(field)
  }
  await next()
}

function refusal(place: string): Refusal {
  return new Refusal('invalid-body', 'The request contains text that cannot be stored.', [
    `${place}: ${UNSTORABLE_TEXT}`,
  ])
}

/** The route reports a body that is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const isPlain = (part: string | number): boolean => typeof part === 'number' || /^[\w-]{1,100}$/.test(part)
