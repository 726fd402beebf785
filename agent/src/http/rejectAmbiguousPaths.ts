import type { IncomingMessage } from 'node:http'
import type { MiddlewareHandler } from 'hono'
import { Refusal } from './problem.ts'

const AMBIGUOUS_PATH = /\.\.|%2e|%2f|%5c|\\|\/\//i

/**
 * Rejects paths that two servers could interpret differently. Checks the raw request line: a Request has its dots
 * already resolved, and Grafana's proxy forwards `%2e%2e` and `..%2f` unchanged.
 */
export const rejectAmbiguousPaths: MiddlewareHandler = async (c, next) => {
  const incoming = (c.env as { incoming?: IncomingMessage } | undefined)?.incoming
  const [path = ''] = (incoming?.url ?? c.req.url).replace(/^https?:\/\/[^/?#]*/i, '').split('?')
  if (AMBIGUOUS_PATH.test(path))
    throw new Refusal('bad-path', 'The path must not contain .., //, %2e, %2f, %5c, or a backslash.')
  await next()
}
