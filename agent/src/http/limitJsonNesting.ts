import type { MiddlewareHandler } from 'hono'
import { Refusal } from './problem.ts'

/** More than any body of this API has; a signed report has about ten. */
const MAX_NESTING = 64

/**
 * Refuses a JSON body that is nested deeper than any of this API, before something recursive reads it: parsing takes any
 * depth, but comparing, hashing or storing the value would overflow the stack.
 */
export const limitJsonNesting: MiddlewareHandler = async (c, next) => {
  // The body of a webhook is read as bytes, which its signature covers, and has a schema of its own.
  const hasJson = c.req.method !== 'GET' && c.req.method !== 'HEAD' && !c.req.path.startsWith('/v1/webhooks/')
  if (hasJson && isTooDeep(await c.req.text()))
    throw new Refusal('invalid-body', `The body is nested deeper than ${MAX_NESTING} levels.`, [
      `body: use at most ${MAX_NESTING} levels`,
    ])
  await next()
}

function isTooDeep(json: string): boolean {
  let depth = 0
  let inString = false
  for (let index = 0; index < json.length; index++) {
    const character = json[index]
    if (inString) {
      if (character === '\\') index++
      else if (character === '"') inString = false
    } else if (character === '"') inString = true
    else if (character === '[' || character === '{') {
      depth++
      if (depth > MAX_NESTING) return true
    } else if (character === ']' || character === '}') depth--
  }
  return false
}
