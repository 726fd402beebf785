import type { IncomingMessage } from 'node:http'
import type { MiddlewareHandler } from 'hono'
import { Refusal } from './problem.ts'

const AMBIGUOUS_PATH = /\.\.|%2e|%2f|%5c|\\|\/\//i

/**
 * Refuses a path that two servers could read in two ways. It looks at the bytes that arrived: a Request already has
 * its dots resolved, and Grafana's proxy forwards `%2e%2e` and `..%2f` as they are.
 */
export const rejectAmbiguousPaths: MiddlewareHandler = async (c, next) => {
  const incoming = (c.env as { incoming?: IncomingMessage } | undefined)?.incoming
  const [path = ''] = (incoming?.url ?? c.req.url).replace(/^https?:\/\/[^/?#]*/i, '').split('?')
  if (AMBIGUOUS_PATH.test(path))
    throw new Refusal('bad-path', 'A path may not have .., //, %2e, %2f, %5c or a backslash.')
  await next()
}
