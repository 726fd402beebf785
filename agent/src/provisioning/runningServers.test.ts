import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import { readServerTraces, ServerCheckError } from './runningServers.ts'

/** Answers of a server that is not the one that was asked for, and what the check says about it. */
const ANSWERS: readonly (readonly [string, (response: ServerResponse) => void, RegExp])[] = [
  ['the page of a login', (response) => response.end('<html>Log in</html>'), /not one of Prometheus\. Check the URL$/],
  ['another document', (response) => response.end('{"status":"ok"}'), /not one of Prometheus\. Check the URL$/],
  ['a redirect', (response) => response.writeHead(302, { location: '/login' }).end(), /redirect: use the final URL/],
  ['no login', (response) => response.writeHead(401).end(), /with 401\. Put a user name and a password into its URL$/],
  [
    'no end',
    (response) => response.writeHead(200).write('[', () => response.destroy()),
    /^Prometheus cannot be reached/,
  ],
]

test.each(ANSWERS)('a server that answers with %s is named, and is no internal error', async (_, answer, sentence) => {
  const server = createServer((_request, response) => answer(response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    const prometheus = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const error = await readServerTraces({ grafana: null, prometheus, alertmanager: null }, null).catch(
      (caught: unknown) => caught,
    )
    expect(error).toBeInstanceOf(ServerCheckError)
    expect((error as Error).message).toMatch(sentence)
  } finally {
    server.close()
  }
})
