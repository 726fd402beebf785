import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { rejectAmbiguousPaths } from './rejectAmbiguousPaths.ts'
import { createProblemHandlers } from './problem.ts'

const app = new Hono()
app.onError(createProblemHandlers(() => undefined).onError)
app.use(rejectAmbiguousPaths)
app.get('*', (c) => c.text('reached'))
let server: ReturnType<typeof serve>
let port = 0

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, () => resolve())
  })
  port = (server.address() as AddressInfo).port
})
afterAll(() => new Promise<void>((resolve) => void server.close(() => resolve())))

/** fetch resolves dots before it sends; this sends the bytes as they are. */
function fetchStatus(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ host: '127.0.0.1', port, path }, (answer) => {
      answer.resume()
      resolve(answer.statusCode ?? 0)
    })
      .on('error', reject)
      .end()
  })
}

test.each([
  '/v1/../metrics',
  '/v1/%2e%2e/metrics',
  '/v1/%2E./metrics',
  '/v1/..%2fmetrics',
  '/v1%2Fagent',
  '/v1/%5c..',
  '/v1\\agent',
  '//v1/agent',
  '/v1//agent',
  'http://127.0.0.1/v1/../metrics',
])('%s is refused', async (path) => {
  expect(await fetchStatus(path)).toBe(400)
})

test.each(['/v1/agent', '/v1/rollouts/a.b', '/v1/agent?next=../a//b%2f', 'http://127.0.0.1/v1/agent'])(
  '%s passes',
  async (path) => {
    expect(await fetchStatus(path)).toBe(200)
  },
)
