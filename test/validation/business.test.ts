import { setTimeout as sleep } from 'node:timers/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import postgres from 'postgres'
import { expect, test } from 'vitest'
import { createVehiclesTable, seedVehicles } from '../../demo/seed/vehiclesTable.ts'
import { buildApp } from '../../demo/service/app.ts'
import { vehicleStore } from '../../demo/service/vehicleStore.ts'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { freePort } from '../support/server.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { waitFor } from '../support/waitFor.ts'
import { findCheck, validate } from './validations.ts'

async function evaluateFlag(agent: TestAgent): Promise<void> {
  const answer = await fetch(`${agent.url}/ofrep/v1/evaluate/flags/vehicles-sti`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKENS.flag}`, 'content-type': 'application/json' },
    body: JSON.stringify({ context: { targetingKey: '1' } }),
  })
  expect(answer.status).toBe(200)
}

const listening = (server: Server): Promise<number> =>
  new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)))

async function withServer<T>(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  use: (url: string) => Promise<T>,
): Promise<T> {
  const server = createServer(answer)
  const port = await listening(server)
  try {
    return await use(`http://127.0.0.1:${port}`)
  } finally {
    server.closeAllConnections()
    server.close()
  }
}

async function withCoveredTable(
  checks: string,
  use: (agent: TestAgent, sql: postgres.Sql) => Promise<void>,
): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 1_000)
    await withAgent(url, `${VEHICLES_FILE}checks:\n${checks}`, async (agent) => {
      await agent.run('expand')
      await agent.run('backfill')
      await use(agent, sql)
    })
  })
}

test('a service passes if its responses are equal with the flag on and off, and fails if not', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe('create extension if not exists pg_stat_statements')
    await createVehiclesTable(sql, { agent: 'postgres', application: 'postgres' })
    await seedVehicles(sql, 3_000)
    const store = postgres(url, { max: 4, onnotice: () => undefined })
    const app = buildApp({
      vehicles: vehicleStore(store),
      flag: async () => ({ on: false, variant: 'off' }),
      flagToken: TOKENS.flag,
    })
    const service = createServer((request, response) => {
      const headers = request.headers as Record<string, string>
      void Promise.resolve(app.request(`http://service${request.url}`, { headers })).then(async (answer) =>
        response.writeHead(answer.status, Object.fromEntries(answer.headers)).end(await answer.text()),
      )
    })
    const at = `http://127.0.0.1:${await listening(service)}`
    const file = `${VEHICLES_FILE}triggers: { touch_updated_at: skips }
checks:
  - { name: trucks, request: { url: '${at}/vehicles?kind=truck', sameWithFlag: true } }
  - { name: one, request: { url: '${at}/vehicles/11', sameWithFlag: true } }
  - { name: healthy, request: { url: '${at}/healthz' } }
  - { name: gone, request: { url: '${at}/nowhere' } }
`
    try {
      await withAgent(url, file, async (agent) => {
        await agent.run('expand')
        await agent.run('backfill')
        const sound = await validate(agent, { layers: ['business'] })
        expect(findCheck(sound, 'trucks')).toMatchObject({
          verdict: 'pass',
          query: `GET ${at}/vehicles?kind=truck with X-Sti-Flag: on, off, on`,
          detail: expect.stringMatching(
            /^same response with the flag on and off: HTTP 200, [\d.]+ K?i?B, SHA-256 [0-9a-f]{64}$/,
          ),
        })
        expect(findCheck(sound, 'one').verdict).toBe('pass')
        expect(findCheck(sound, 'healthy').verdict).toBe('pass')
        expect(findCheck(sound, 'gone')).toMatchObject({ verdict: 'fail', value: 404, limit: 200 })
        // A truck whose type is car: the list differs with the flag on.
        await sql.unsafe(`alter table public.vehicles disable trigger "~sti_derive"; update public.vehicles set type = 'Car' where id = 11;
          alter table public.vehicles enable always trigger "~sti_derive"`)
        const wrong = await validate(agent, { checks: ['trucks', 'one', 'healthy'] })
        for (const name of ['trucks', 'one'])
          expect(findCheck(wrong, name)).toMatchObject({
            verdict: 'fail',
            detail: expect.stringContaining('the response with the flag on'),
          })
        expect(findCheck(wrong, 'healthy').verdict).toBe('pass')
      })
    } finally {
      service.closeAllConnections()
      service.close()
      await store.end()
    }
  })
})

test('sameWithFlag no longer applies once nobody has evaluated the flag for the soak time', async () => {
  await withServer(
    // Code without the flag ignores the header.
    (request, response) => void response.writeHead(request.url === '/gone' ? 404 : 200).end('the same'),
    async (at) => {
      await withDatabase(async ({ url, sql }) => {
        await createVehicles(sql, 10)
        const file = `${VEHICLES_FILE}soak: 6s
checks:
  - { name: list, request: { url: '${at}/list', sameWithFlag: true } }
  - { name: gone, request: { url: '${at}/gone', sameWithFlag: true } }
`
        await withAgent(url, file, async (agent) => {
          for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await agent.run(kind)
          const business = () => validate(agent, { layers: ['business'] })
          expect(findCheck(await business(), 'list').verdict).toBe('inconclusive')
          await agent.run('flag', { enabled: true })
          await evaluateFlag(agent)
          const evaluated = await business()
          expect(findCheck(evaluated, 'list').verdict).toBe('inconclusive')
          await waitFor('the soak time has passed', async () => findCheck(await business(), 'list').verdict === 'pass')
          const unused = await business()
          expect(findCheck(unused, 'list').detail).toMatch(/sameWithFlag no longer applies, since nobody has evaluated/)
          expect(findCheck(unused, 'gone')).toMatchObject({ verdict: 'fail', value: 404 })
          await evaluateFlag(agent)
          await waitFor(
            'an evaluation counts again',
            async () => findCheck(await business(), 'list').verdict === 'inconclusive',
          )
        })
      })
    },
  )
})

test('an application that ignores the flag, redirects, returns too much or keeps changing is inconclusive', async () => {
  let asked = 0
  const tokens: string[] = []
  await withServer(
    (request, response) => {
      tokens.push(`${request.url} ${request.headers.authorization ?? 'without'}`)
      const flag = request.headers['x-sti-flag'] as string | undefined
      switch (request.url) {
        case '/deaf':
          return void response.end('the same')
        case '/moved':
          return void response.writeHead(302, { location: 'http://127.0.0.1:1/secret' }).end()
        case '/large':
          return void response.end('x'.repeat(1_000_001))
        case '/restless':
          return void response.writeHead(200, { 'x-sti-flag': flag ?? 'none' }).end(String(asked++))
        // Changes occasionally, like under traffic, independently of the flag.
        case '/busy':
          return void response.writeHead(200, { 'x-sti-flag': flag ?? 'none' }).end(String(Math.floor(asked++ / 4)))
      }
      response.writeHead(404).end()
    },
    async (at) => {
      const same = (name: string): string =>
        `  - { name: ${name}, request: { url: '${at}/${name}', sameWithFlag: true } }\n`
      const plain = (name: string): string => `  - { name: ${name}, request: { url: '${at}/${name}' } }\n`
      const checks = `${same('deaf')}${plain('moved')}${plain('large')}${same('restless')}${same('busy')}
  - { name: nobody, request: { url: 'http://127.0.0.1:${await freePort()}/' } }\n`
      await withCoveredTable(checks, async (agent) => {
        const found = await validate(agent, { layers: ['business'] })
        const verdicts = Object.fromEntries(found.checks.map((check) => [check.check, check.verdict]))
        expect(verdicts).toEqual({
          deaf: 'inconclusive',
          moved: 'inconclusive',
          large: 'inconclusive',
          restless: 'inconclusive',
          busy: 'pass',
          nobody: 'inconclusive',
        })
        expect(findCheck(found, 'deaf').detail).toMatch(
          /without the X-Sti-Flag header, so it is unknown which flag value it used/,
        )
        expect(findCheck(found, 'moved').detail).toMatch(/redirect/)
        expect(findCheck(found, 'large').detail).toMatch(/larger than 976.6 KiB/)
        expect(findCheck(found, 'nobody').detail).toMatch(/ECONNREFUSED/)
        // The flag token is sent only to URLs with sameWithFlag.
        expect(tokens.filter((token) => token.startsWith('/moved') || token.startsWith('/large'))).toEqual(
          expect.not.arrayContaining([expect.stringContaining(TOKENS.flag)]),
        )
        expect(tokens).toContain(`/deaf Bearer ${TOKENS.flag}`)
      })
    },
  )
})

test('rows that break a rule are counted and named; rows that break it only briefly are not', async () => {
  const checks = `  - { name: trucks-have-axles, violations: "select id, name from public.vehicles where type = 'Truck' and axles is null" }
  - { name: few-names, violations: "select id from public.vehicles where name is not null" }
`
  await withCoveredTable(checks, async (agent, sql) => {
    expect(findCheck(await validate(agent, { checks: ['trucks-have-axles'] }), 'trucks-have-axles').verdict).toBe(
      'pass',
    )
    await sql`update public.vehicles set axles = null where id in (11, 12, 21)`
    const broken = await validate(agent, { checks: ['trucks-have-axles', 'few-names'] })
    expect(findCheck(broken, 'trucks-have-axles')).toMatchObject({ verdict: 'fail', discrepancies: 3 })
    expect(findCheck(broken, 'trucks-have-axles').sampleKeys).toEqual(expect.arrayContaining([['11'], ['12'], ['21']]))
    expect(findCheck(broken, 'few-names')).toMatchObject({ verdict: 'fail', discrepancies: 1_000 })
    await sql`update public.vehicles set axles = 2`
    // A different row at each read, each corrected immediately.
    let writing = true
    const writer = (async () => {
      for (let id = 1; writing; id += 10) {
        await sql`update public.vehicles set axles = null where id = ${(id % 1_000) + 10}`
        await sleep(300)
        await sql`update public.vehicles set axles = 2 where id = ${(id % 1_000) + 10}`
      }
    })()
    try {
      expect(findCheck(await validate(agent, { checks: ['trucks-have-axles'] }), 'trucks-have-axles').verdict).not.toBe(
        'fail',
      )
    } finally {
      writing = false
      await writer
    }
  })
})
