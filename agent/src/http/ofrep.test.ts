import { serve } from '@hono/node-server'
import { Hono } from 'hono'
import { OFREPProvider } from '@openfeature/ofrep-provider'
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider'
import { ErrorCode, OpenFeature, type Client } from '@openfeature/server-sdk'
import { OpenFeature as WebOpenFeature, ProviderEvents } from '@openfeature/web-sdk'
import type { AddressInfo } from 'node:net'
import { expect } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import type { Config } from '../config.ts'
import {
  ann,
  enableFlag,
  turnOffRequest,
  startFlagTestAgent,
  vehiclesRollout,
  type FlagTestAgent,
} from '../flag/flags.testing.ts'
import { createAuthentication, type AuthenticationEnv } from './authentication.ts'
import { ofrepRoutes } from './ofrep.ts'
import { rejectAmbiguousPaths } from './rejectAmbiguousPaths.ts'
import { createProblemHandlers } from './problem.ts'
import { waitFor } from '../../../test/support/waitFor.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'

const tokens = {
  viewer: 'viewer-0123456789abcdefgh',
  editor: 'editor-0123456789abcdefgh',
  admin: 'admin-0123456789abcdefghi',
  flag: 'flag-0123456789abcdefghij',
  metrics: null,
}

interface Serving {
  readonly agent: FlagTestAgent
  readonly base: string
  post(path: string, body?: string, headers?: Record<string, string>): Promise<Response>
  close(): Promise<void>
}

async function withServing(test: (serving: Serving) => Promise<void>): Promise<void> {
  await withDatabase(async ({ url }) => {
    const agent = await startFlagTestAgent(url, 'a')
    const config = { tokens, personalTokens: [], grafana: null } as unknown as Config
    const app = new Hono<AuthenticationEnv>()
    app.onError(createProblemHandlers((line) => agent.lines.push(line)).onError)
    app.use(rejectAmbiguousPaths)
    app.use(createAuthentication(config).middleware)
    app.route('/', ofrepRoutes(agent.flags))
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' })
    await waitFor('the port is open', () => server.listening)
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const close = () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        if ('closeAllConnections' in server) server.closeAllConnections()
      })
    try {
      await test({
        agent,
        base,
        post: (path, body = '{}', headers = {}) =>
          fetch(`${base}/ofrep/v1/evaluate/flags${path}`, {
            method: 'POST',
            body,
            headers: { authorization: `Bearer ${tokens.flag}`, ...headers },
          }),
        close,
      })
    } finally {
      await OpenFeature.clearProviders()
      await WebOpenFeature.clearProviders()
      await close()
      await agent.close()
    }
  })
}

/** `milliseconds`: a busy machine may take longer than the 250 that an application would use. */
async function client(base: string, headers: [string, string][], milliseconds = 10_000): Promise<Client> {
  const provider = new OFREPProvider({
    baseUrl: base,
    headers,
    fetchImplementation: (request: Parameters<typeof fetch>[0]) =>
      fetch(request, { signal: AbortSignal.timeout(milliseconds) }),
  })
  await OpenFeature.setProviderAndWait(provider)
  return OpenFeature.getClient()
}

const bearer: [string, string] = ['Authorization', `Bearer ${tokens.flag}`]

test('the server provider follows the flag on and off, and counts as a client', async () => {
  await withServing(async ({ agent, base }) => {
    const app = await client(base, [bearer, ['X-Sti-Client', 'web-1']])
    expect(await app.getBooleanDetails('vehicles-sti', true)).toMatchObject({ value: false })
    await enableFlag(agent)
    expect(await app.getBooleanDetails('vehicles-sti', false)).toMatchObject({
      value: true,
      reason: 'STATIC',
      variant: 'on',
      flagMetadata: { version: 1 },
    })
    await agent.flags.turnOff(vehiclesRollout, ann, null, turnOffRequest())
    expect(agent.flags.status('vehicles').consistent).toBe(false)
    expect(await app.getBooleanDetails('vehicles-sti', true)).toMatchObject({ value: false, reason: 'DISABLED' })
    expect(agent.flags.status('vehicles')).toMatchObject({
      consistent: true,
      clients: [{ client: 'web-1', answeredOn: false }],
    })
    expect(agent.flags.status('vehicles').lastPropagationSeconds).toBeLessThan(10)
  })
})

test('percentages are stable per targeting key, and without one the code default applies', async () => {
  await withServing(async ({ agent, base }) => {
    const app = await client(base, [['X-API-Key', tokens.flag]])
    await enableFlag(agent, 30)
    const users = Array.from({ length: 600 }, (_, index) => `user-${index}`)
    const askAll = async () => {
      const answers = []
      for (let from = 0; from < users.length; from += 10) {
        const some = users.slice(from, from + 10)
        answers.push(
          ...(await Promise.all(
            some.map((targetingKey) => app.getBooleanDetails('vehicles-sti', false, { targetingKey })),
          )),
        )
      }
      expect(new Set(answers.map((answer) => answer.reason))).toEqual(new Set(['SPLIT']))
      return answers.map((answer) => answer.value)
    }
    const first = await askAll()
    const share = first.filter(Boolean).length / users.length
    // Five standard deviations of 600 draws at 0.3.
    expect(Math.abs(share - 0.3)).toBeLessThan(5 * Math.sqrt((0.3 * 0.7) / users.length))
    expect(await askAll()).toEqual(first)
    const none = await app.getBooleanDetails('vehicles-sti', false)
    expect(none).toMatchObject({ value: false, reason: 'ERROR', errorCode: ErrorCode.TARGETING_KEY_MISSING })
  })
})

test('an unknown flag, a wrong token, and an unavailable agent give the code default, never an exception', async () => {
  await withServing(async ({ agent, base, close }) => {
    await enableFlag(agent)
    const app = await client(base, [bearer])
    expect(await app.getBooleanDetails('other', false)).toMatchObject({
      value: false,
      errorCode: ErrorCode.FLAG_NOT_FOUND,
    })
    const stranger = await client(base, [['Authorization', `Bearer ${tokens.admin}`]])
    expect(await stranger.getBooleanDetails('vehicles-sti', false)).toMatchObject({ value: false, reason: 'ERROR' })
    const again = await client(base, [bearer])
    expect(await again.getBooleanValue('vehicles-sti', false)).toBe(true)
    await close()
    const began = performance.now()
    expect(await again.getBooleanDetails('vehicles-sti', false)).toMatchObject({ value: false, reason: 'ERROR' })
    expect(performance.now() - began).toBeLessThan(2_000)
  })
})

test('an agent that does not respond gives the code default after 250 ms', async () => {
  const hangs = serve({ fetch: () => new Promise<Response>(() => undefined), port: 0, hostname: '127.0.0.1' })
  await waitFor('the port is open', () => hangs.listening)
  const app = await client(`http://127.0.0.1:${(hangs.address() as AddressInfo).port}`, [bearer], 250)
  const began = performance.now()
  expect(await app.getBooleanDetails('vehicles-sti', false)).toMatchObject({ value: false, reason: 'ERROR' })
  expect(performance.now() - began).toBeLessThan(3_000)
  await OpenFeature.clearProviders()
  if ('closeAllConnections' in hangs) hangs.closeAllConnections()
  await new Promise((resolve) => hangs.close(resolve))
})

test('the web provider polls with its ETag, receives a change, and keeps the last value if the agent is unavailable', async () => {
  await withServing(async ({ agent, base, close }) => {
    await enableFlag(agent)
    const statuses: number[] = []
    const provider = new OFREPWebProvider({
      baseUrl: base,
      headers: [bearer, ['X-Sti-Client', 'browser-1']],
      pollInterval: 100,
      cacheMode: 'disabled',
      fetchImplementation: async (request: Parameters<typeof fetch>[0]) => {
        const response = await fetch(request)
        statuses.push(response.status)
        return response
      },
    })
    const changes: string[][] = []
    let stale = 0
    WebOpenFeature.addHandler(
      ProviderEvents.ConfigurationChanged,
      (event) => void changes.push((event as { flagsChanged?: string[] } | undefined)?.flagsChanged ?? []),
    )
    WebOpenFeature.addHandler(ProviderEvents.Stale, () => void stale++)
    await WebOpenFeature.setProviderAndWait(provider, { targetingKey: 'user-1' })
    const app = WebOpenFeature.getClient()
    expect(app.getBooleanValue('vehicles-sti', false)).toBe(true)
    await waitFor('it polls and nothing changed', () => statuses.filter((status) => status === 304).length >= 3)
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(changes).toEqual([])
    await agent.flags.turnOff(vehiclesRollout, ann, null, turnOffRequest())
    await waitFor('it heard of the change', () => changes.length > 0)
    expect(changes[0]).toEqual(['vehicles-sti'])
    expect(app.getBooleanValue('vehicles-sti', true)).toBe(false)
    await waitFor('it has received the change', () => agent.flags.status('vehicles').consistent)
    await close()
    await waitFor('it reports that it is stale', () => stale > 0)
    expect(app.getBooleanValue('vehicles-sti', true)).toBe(false)
  })
})

test('an invalid request gets the body that providers expect', async () => {
  await withServing(async ({ agent, post }) => {
    await enableFlag(agent, 50)
    const answer = async (sent: Promise<Response>): Promise<[number, unknown]> => {
      const response = await sent
      return [response.status, await response.json()]
    }
    const code = (errorCode: string, key?: string): unknown =>
      expect.objectContaining({ errorCode, ...(key ? { key } : {}) })
    expect(await answer(post('/vehicles-sti', '{'))).toEqual([400, code('PARSE_ERROR', 'vehicles-sti')])
    expect(await answer(post('/vehicles-sti', '[]'))).toEqual([400, code('PARSE_ERROR', 'vehicles-sti')])
    expect(await answer(post('/vehicles-sti', '{"context":7}'))).toEqual([400, code('INVALID_CONTEXT', 'vehicles-sti')])
    expect(await answer(post('/vehicles-sti'))).toEqual([400, code('TARGETING_KEY_MISSING', 'vehicles-sti')])
    expect(await answer(post('/other'))).toEqual([404, code('FLAG_NOT_FOUND', 'other')])
    expect(await answer(post('', '{'))).toEqual([400, code('PARSE_ERROR')])
    expect(await answer(post('', '{}'))).toEqual([200, { flags: [code('TARGETING_KEY_MISSING', 'vehicles-sti')] }])
    const large = JSON.stringify({ context: { targetingKey: 'x'.repeat(70_000) } })
    expect(await answer(post('/vehicles-sti', large))).toEqual([413, code('INVALID_CONTEXT', 'vehicles-sti')])
    for (const token of ['', tokens.viewer, tokens.admin])
      expect((await post('/vehicles-sti', '{}', { authorization: `Bearer ${token}` })).status).toBe(403)
  })
})

test('the ETag depends on the answer and so on the context; the age is a header and does not affect it', async () => {
  await withServing(async ({ agent, post }) => {
    await enableFlag(agent, 50)
    const bulk = (user: string, etag?: string) =>
      post('', JSON.stringify({ context: { targetingKey: user } }), etag ? { 'if-none-match': etag } : {})
    const first = await bulk('user-1')
    const etag = first.headers.get('etag')!
    expect(Number(first.headers.get('x-sti-flag-age-seconds'))).toBeGreaterThanOrEqual(0)
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    expect((await bulk('user-1', etag)).status).toBe(304)
    expect((await bulk('user-1', `"x", W/${etag}`)).status).toBe(304)
    const value = ((await first.json()) as { flags: { value: boolean }[] }).flags[0]!.value
    const users = Array.from({ length: 50 }, (_, index) => `user-${index}`)
    const answers = await Promise.all(users.map(async (user) => (await bulk(user, etag)).status))
    expect(new Set(answers)).toEqual(new Set([200, 304]))
    expect(typeof value).toBe('boolean')
  })
})
