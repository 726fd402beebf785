import type { IncomingMessage } from 'node:http'
import type { MiddlewareHandler } from 'hono'

/**
 * Closes the connection after an answer that came before the end of the body: a request that was refused for its
 * credential, its path or its size. To keep the connection, the server would have to read and discard the rest.
 */
export const closeAfterUnreadBody: MiddlewareHandler = async (c, next) => {
  await next()
  const incoming = (c.env as { incoming?: IncomingMessage } | undefined)?.incoming
  if (incoming !== undefined && !incoming.complete) c.header('connection', 'close')
}
