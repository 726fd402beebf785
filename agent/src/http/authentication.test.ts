import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createHmac } from 'node:crypto'
import { Hono } from 'hono'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type JWTPayload } from 'jose'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { Config } from '../config.ts'
import { createAuthentication, type AuthenticationEnv } from './authentication.ts'
import type { Caller } from '../rights/caller.ts'
import { createProblemHandlers } from './problem.ts'

const tokens = {
  viewer: 'viewer-0123456789abcdefgh',
  editor: 'editor-0123456789abcdefgh',
  admin: 'admin-0123456789abcdefghi',
  flag: 'flag-0123456789abcdefghij',
  metrics: 'metrics-0123456789abcdefg',
}
const personalToken = 'personal-0123456789abcdef'

const keys = await generateKeyPair('ES256', { extractable: true })
const foreignKeys = await generateKeyPair('ES256', { extractable: true })
const rsa = await generateKeyPair('RS256', { extractable: true })
let keysServer: Server
let grafanaUrl = ''
let keyFetchCount = 0

beforeAll(async () => {
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }
  const other = { ...(await exportJWK(rsa.publicKey)), kid: 'k3', use: 'sig' }
  keysServer = createServer((incoming, answer) => {
    keyFetchCount++
    answer.statusCode = incoming.url === '/api/signing-keys/keys' ? 200 : 404
    answer.setHeader('content-type', 'application/json').end(JSON.stringify({ keys: [jwk, other] }))
  })
  await new Promise<void>((resolve) => keysServer.listen(0, '127.0.0.1', resolve))
  grafanaUrl = `http://127.0.0.1:${(keysServer.address() as AddressInfo).port}`
})
afterAll(() => void keysServer.close())
beforeEach(() => void (keyFetchCount = 0))

function buildTestApp(
  grafana: Config['grafana'] = { url: grafanaUrl, issuer: 'https://g.example', audience: 'org:1', token: null },
) {
  const config = {
    tokens,
    personalTokens: [{ name: 'ci', level: 'editor', token: personalToken }],
    grafana,
  } as unknown as Config
  const authentication = createAuthentication(config)
  const app = new Hono<AuthenticationEnv>()
  app.onError(createProblemHandlers(() => undefined).onError)
  app.use(authentication.middleware)
  app.all('/v1/*', (c) => c.json(c.get('caller')))
  app.all('*', (c) => c.text('open'))
  return { app, authentication }
}

const user: JWTPayload = { type: 'user', username: 'ann', role: 'Editor', sub: 'user:2' }

function signIdentity(
  claims: JWTPayload = {},
  header: Record<string, unknown> = {},
  key = keys.privateKey,
  expiresIn = 600,
) {
  const now = Math.floor(Date.now() / 1000)
  return new SignJWT({ iss: 'https://g.example/', aud: 'org:1', iat: now, exp: now + expiresIn, ...user, ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'jwt', kid: 'k1', ...header })
    .sign(key)
}

interface ApiAnswer {
  status: number
  caller: Caller
  detail: string
}

async function callApi(
  app: ReturnType<typeof buildTestApp>['app'],
  token: string | null,
  {
    id,
    method = 'GET',
    path = '/v1/agent',
    headers = {},
  }: { id?: string; method?: string; path?: string; headers?: Record<string, string> } = {},
): Promise<ApiAnswer> {
  const response = await app.request(path, {
    method,
    headers: {
      ...headers,
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(id === undefined ? {} : { 'x-grafana-id': id }),
    },
  })
  const text = await response.text()
  const body = text.startsWith('{')
    ? (JSON.parse(text) as Caller & { detail: string })
    : ({} as Caller & { detail: string })
  return { status: response.status, caller: body, detail: body.detail }
}

const encodeUnsigned = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url')

test('each credential opens only its own path; a missing one is 403, never 401', async () => {
  const { app } = buildTestApp()
  const opens: Record<string, readonly string[]> = {
    '/v1/agent': [tokens.viewer, tokens.editor, tokens.admin, personalToken],
    '/ofrep/v1/evaluate/flags': [tokens.flag],
    '/metrics': [tokens.metrics],
  }
  for (const [path, allowed] of Object.entries(opens))
    for (const token of [...Object.values(tokens), personalToken, 'unknown-0123456789abcdefg', '', null])
      expect((await callApi(app, token, { path })).status, `${path} with ${token}`).toBe(
        token !== null && allowed.includes(token) ? 200 : 403,
      )
  for (const path of ['/livez', '/readyz']) expect((await callApi(app, null, { path })).status).toBe(200)
  for (const path of ['/V1/agent', '/v1x', '/', '/ofrep', '/metrics/x', '/livez/x'])
    expect((await callApi(app, tokens.admin, { path })).status, path).toBe(404)
})

test('a flag client may send its token as X-API-Key, which is not accepted under /v1', async () => {
  const { app } = buildTestApp()
  const headers = { 'x-api-key': tokens.flag }
  expect((await callApi(app, null, { path: '/ofrep/v1/evaluate/flags', headers })).status).toBe(200)
  expect((await callApi(app, null, { headers: { 'x-api-key': tokens.admin } })).status).toBe(403)
})

test('through Grafana, the level is the lower one of token and role', async () => {
  const { app } = buildTestApp()
  const lowest = { viewer: 0, editor: 1, admin: 2 }
  for (const token of ['viewer', 'editor', 'admin'] as const)
    for (const role of ['Viewer', 'Editor', 'Admin'] as const) {
      const { caller, status } = await callApi(app, tokens[token], { id: await signIdentity({ role }), method: 'POST' })
      const level = role.toLowerCase() as keyof typeof lowest
      const expected = lowest[token] < lowest[level] ? token : level
      expect({ status, ...caller }).toEqual({
        status: 200,
        name: 'ann',
        level: expected,
        via: 'grafana',
        mayAct: true,
        why: null,
      })
    }
})

test('a service account is named by its subject', async () => {
  const { app } = buildTestApp()
  const id = await signIdentity({
    type: 'service-account',
    username: undefined,
    sub: 'service-account:6',
    role: 'Admin',
  })
  expect((await callApi(app, tokens.admin, { id })).caller).toMatchObject({ name: 'service-account:6', level: 'admin' })
})

test('a verified user without a role has no access', async () => {
  const { app } = buildTestApp()
  for (const role of ['None', '', 'toString', undefined])
    expect((await callApi(app, tokens.admin, { id: await signIdentity({ role }) })).status, String(role)).toBe(403)
})

test('without a valid identity, Grafana can only read as a viewer', async () => {
  const { app } = buildTestApp()
  const claims = {
    iss: 'https://g.example/',
    aud: 'org:1',
    exp: Date.now() / 1000 + 600,
    iat: Date.now() / 1000,
    ...user,
    role: 'Admin',
  }
  const pem = await exportSPKI(keys.publicKey)
  const hs256 = `${encodeUnsigned({ alg: 'HS256', typ: 'jwt', kid: 'k1' })}.${encodeUnsigned(claims)}`
  const good = await signIdentity({ role: 'Viewer' })
  const [head, , signature] = good.split('.')
  const cases: Record<string, string | undefined> = {
    missing: undefined,
    empty: '',
    garbage: 'not.a.token',
    'alg none': `${encodeUnsigned({ alg: 'none', typ: 'jwt', kid: 'k1' })}.${encodeUnsigned(claims)}.`,
    'HMAC with the public key': `${hs256}.${createHmac('sha256', pem).update(hs256).digest('base64url')}`,
    'another key': await signIdentity({}, {}, foreignKeys.privateKey),
    'another algorithm, by a key of Grafana': await signIdentity({}, { alg: 'RS256', kid: 'k3' }, rsa.privateKey),
    'a role written in afterwards': `${head}.${encodeUnsigned(claims)}.${signature}`,
    expired: await signIdentity({}, {}, keys.privateKey, -30),
    'no expiry': await signIdentity({ exp: undefined }),
    'another issuer': await signIdentity({ iss: 'https://other.example/' }),
    'another organization': await signIdentity({ aud: 'org:2' }),
    'not a jwt type': await signIdentity({}, { typ: 'at+jwt' }),
    'issued in the future': await signIdentity({ iat: Math.floor(Date.now() / 1000) + 120 }),
    'issued long ago, and never expiring': await signIdentity({
      iat: Math.floor(Date.now() / 1000) - 3_600,
      exp: Math.floor(Date.now() / 1000) + 10_000_000,
    }),
    'no time of issue': await signIdentity({ iat: undefined }),
    'no key id': await signIdentity({}, { kid: undefined }),
    'unknown key id': await signIdentity({}, { kid: 'k2' }),
    'an api key': await signIdentity({ type: 'api-key' }),
    'a render service': await signIdentity({ type: 'render-service' }),
    'two headers joined': `${good}, ${good}`,
  }
  for (const [name, id] of Object.entries(cases)) {
    const read = await callApi(app, tokens.admin, { id })
    expect(read.status, name).toBe(200)
    expect(read.caller, name).toMatchObject({ level: 'viewer', mayAct: false, via: 'grafana' })
    expect(read.caller.why, name).toMatch(/[.:]/)
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
      const act = await callApi(app, tokens.admin, { id, method })
      expect(act.status, `${method} ${name}`).toBe(403)
      expect(act.detail, name).toBe(read.caller.why)
    }
  }
})

test('headers that Grafana does not sign are ignored', async () => {
  const { app } = buildTestApp()
  const forged = {
    'x-grafana-context': JSON.stringify({ login: 'root', orgRole: 'Admin' }),
    'x-grafana-user': 'root',
    'x-sti-access': 'admin',
    'x-forwarded-user': 'root',
    'x-forwarded-for': '127.0.0.1',
    'x-ds-authorization': `Bearer ${tokens.admin}`,
  }
  expect((await callApi(app, null, { headers: forged })).status).toBe(403)
  const read = await callApi(app, tokens.viewer, { headers: forged, id: await signIdentity({ role: 'Admin' }) })
  expect(read.caller).toMatchObject({ name: 'ann', level: 'viewer' })
})

test('a personal token works without Grafana, and an additional identity is ignored', async () => {
  const { app } = buildTestApp(null)
  const id = await signIdentity({ role: 'Admin' })
  expect((await callApi(app, personalToken, { method: 'POST', id })).caller).toEqual({
    name: 'ci',
    level: 'editor',
    via: 'token',
    mayAct: true,
    why: null,
  })
  expect(keyFetchCount).toBe(0)
})

test('without STI_GRAFANA_URL, Grafana can only read, even with a valid identity', async () => {
  const { app, authentication } = buildTestApp(null)
  const id = await signIdentity()
  expect((await callApi(app, tokens.editor, { id })).caller).toMatchObject({ level: 'viewer', mayAct: false })
  expect((await callApi(app, tokens.editor, { id, method: 'POST' })).status).toBe(403)
  expect(await authentication.signingKeysHealth()).toBeNull()
})

test('if the keys are unavailable, reads stay fast, actions are refused with the reason, and health reports it', async () => {
  const { app, authentication } = buildTestApp({
    url: 'http://127.0.0.1:1',
    issuer: 'https://g.example',
    audience: 'org:1',
    token: null,
  })
  const id = await signIdentity()
  const began = performance.now()
  for (let count = 0; count < 20; count++)
    expect((await callApi(app, tokens.editor, { id })).caller).toMatchObject({ level: 'viewer', mayAct: false })
  expect(performance.now() - began).toBeLessThan(2_000)
  const act = await callApi(app, tokens.editor, { id, method: 'POST' })
  expect(act.status).toBe(403)
  expect(act.detail).toMatch(/signing keys/)
  expect(await authentication.signingKeysHealth()).toMatchObject({
    healthy: false,
    detail: expect.stringMatching(/signing keys/),
  })
})

test('the keys are fetched once, and their health is known before the first action', async () => {
  const { app, authentication } = buildTestApp()
  expect(await authentication.signingKeysHealth()).toMatchObject({ name: 'grafana-keys', healthy: true })
  for (let count = 0; count < 5; count++)
    await callApi(app, tokens.editor, { id: await signIdentity(), method: 'POST' })
  expect(keyFetchCount).toBe(1)
})

/** A server of keys that can become slow or broken. */
async function withKeyServer(
  use: (server: {
    url: string
    mode: (next: 'good' | 'silent' | 'broken') => void
    requests: () => number
  }) => Promise<void>,
): Promise<void> {
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }
  let mode: 'good' | 'silent' | 'broken' = 'good'
  let requests = 0
  const server = createServer((_, answer) => {
    requests++
    if (mode === 'silent') return
    answer.statusCode = mode === 'good' ? 200 : 500
    answer.end(mode === 'good' ? JSON.stringify({ keys: [jwk] }) : 'not JSON')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    await use({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      mode: (next) => void (mode = next),
      requests: () => requests,
    })
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

test.each(['silent', 'broken'] as const)(
  'a Grafana that becomes %s costs requests nothing, and is reported once',
  async (mode) => {
    await withKeyServer(async (server) => {
      let now = Date.now()
      const reports: (string | null)[] = []
      const config = {
        tokens,
        personalTokens: [],
        grafana: { url: server.url, issuer: 'https://g.example', audience: 'org:1', token: null },
      } as unknown as Config
      const authentication = createAuthentication(config, {
        now: () => now,
        onKeysChange: (fault) => reports.push(fault),
      })
      const app = new Hono<AuthenticationEnv>()
      app.use(authentication.middleware)
      app.all('/v1/*', (c) => c.json(c.get('caller')))
      const id = await signIdentity()
      expect((await callApi(app, tokens.editor, { id })).caller).toMatchObject({ name: 'ann', mayAct: true })
      server.mode(mode)
      // Each request finds the keys due: one fetch is in flight at a time, and none waits for it.
      const began = performance.now()
      for (let count = 0; count < 30; count++) {
        now += 3_000
        expect(
          (
            await callApi(app, tokens.editor, {
              id: await signIdentity({ iat: Math.floor(now / 1000), exp: Math.floor(now / 1000) + 60 }),
            })
          ).caller,
        ).toMatchObject({ mayAct: true })
      }
      expect(performance.now() - began).toBeLessThan(900)
      await expect.poll(() => reports.length, { timeout: 5_000 }).toBe(1)
      expect(reports[0]).toMatch(/signing keys/)
      expect(await authentication.signingKeysHealth()).toMatchObject({
        healthy: false,
        detail: expect.stringMatching(/signing keys/) as string,
      })
      // Keys that could not be fetched for ten minutes may have been revoked.
      now += 600_000
      const late = { iat: Math.floor(now / 1000), exp: Math.floor(now / 1000) + 60 }
      expect((await callApi(app, tokens.editor, { id: await signIdentity(late) })).caller).toMatchObject({
        mayAct: false,
      })
      expect(reports).toHaveLength(1)
      server.mode('good')
      // A fetch that began before may still be in flight: the next one is due later.
      const health = async () => {
        now += 3_000
        return (await authentication.signingKeysHealth())?.healthy
      }
      await expect.poll(health, { timeout: 5_000 }).toBe(true)
      expect(reports).toEqual([reports[0], null])
    })
  },
)
