import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import postgres from 'postgres'
import { expect, test } from 'vitest'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES, vehicles } from '../support/vehicles.ts'
import { eventsOf, operationOf, quiet, steer, tune, until } from './asking.ts'
import { slow, typed, wrong } from './disturbing.ts'

interface Running {
  readonly url: string
  readonly sql: postgres.Sql
  readonly agent: TestAgent
}

/** An expanded table of 2,000 rows, whose batches take this long, and a rollout file that says this too. */
async function expanded(seconds: number, file: string, use: (running: Running) => Promise<void>): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    await vehicles(sql, 2_000)
    await slow(sql, seconds)
    await withAgent(
      url,
      `${VEHICLES}triggers: { slow: harmless }\n${file}`,
      async (agent) => {
        await agent.run('expand')
        await use({ url, sql, agent })
      },
      quiet,
    )
  })
}

const throttled = (agent: TestAgent, id: number, pattern: RegExp): Promise<string> =>
  until(`it says ${pattern}`, async () => {
    const { progress } = await operationOf(agent, id)
    return progress?.throttled && pattern.test(progress.throttled) ? progress.throttled : null
  })

test('a signal of the file and the limits of the file hold it up; they are tuned while it runs', async () => {
  const file = `signals: [{ name: queue, sql: select count(*) from public.queue, limit: 2 }]\nthrottle: { connectionsRatio: none }\n`
  await withDatabase(async ({ url, sql }) => {
    await vehicles(sql, 2_000)
    await sql`create table public.queue as select generate_series(1, 5) as job`
    await withAgent(
      url,
      `${VEHICLES}${file}`,
      async (agent) => {
        await agent.run('expand')
        const { id } = await agent.request('backfill', { batchSize: 100 })
        expect(await throttled(agent, id, /^signal:/)).toBe('signal: queue is 5, above 2')
        // A limit of the operation goes before the file's; the next reason is then one of the default ones.
        await tune(agent, id, { limits: { connectionsRatio: 0, signals: { queue: 10 } } })
        await throttled(agent, id, /^connections: .* of the connections are in use$/)
        expect(await typed(sql)).toBe(0)
        await tune(agent, id, { limits: { signals: { queue: null } } })
        await throttled(agent, id, /^connections:/)
        await tune(agent, id, { limits: { connectionsRatio: null } })
        await throttled(agent, id, /^signal:/)
        await sql`drop table public.queue`
        await throttled(agent, id, /^signal-unknown: signal queue unknown: .*queue/)
        expect(await typed(sql)).toBe(0)
        await tune(agent, id, { limits: { signals: { queue: 'none' } } })
        expect((await agent.ended(id)).state).toBe('succeeded')
        expect(await wrong(sql)).toBe(0)
        const said = (await eventsOf(agent, id)).filter((message) => /^waits|^goes on/.test(message))
        expect(said[0]).toBe('waits: queue is 5, above 2')
        expect(said.at(-1)).toBe('goes on')
      },
      quiet,
    )
  })
})

test('above a limit where work stops it stands, says what to do, writes nothing more, and goes on when it is mended', async () => {
  await expanded(
    0.1,
    'throttle: { oldestSnapshotSeconds: { pause: none, abort: 2 } }\n',
    async ({ url, sql, agent }) => {
      const { id } = await agent.request('backfill', { batchSize: 50 })
      await until('rows are written', async () => (await typed(sql)) > 0)
      const reader = postgres(url, { max: 1, onnotice: () => undefined, connection: { application_name: 'report' } })
      await reader.unsafe('begin isolation level repeatable read; select count(*) from public.vehicles')
      const stopped = await agent.ended(id)
      expect(stopped).toMatchObject({ state: 'paused', errorCode: 'trouble' })
      expect(stopped.error).toMatch(
        /^Pid \d+ \(report, idle in transaction\) has held a snapshot for .*, above 2 s, where work stops\. End it, or raise limits\.oldestSnapshotSeconds; then resume\.$/,
      )
      const written = await typed(sql)
      expect(written).toBeLessThan(2_000)
      await steer(agent, id, 'resume')
      expect((await agent.ended(id)).state).toBe('paused')
      expect(await typed(sql)).toBe(written)
      await reader.end({ timeout: 0 })
      await slow(sql, 0)
      await steer(agent, id, 'resume')
      expect((await agent.ended(id)).state).toBe('succeeded')
      expect(await wrong(sql)).toBe(0)
    },
  )
})

test('it rests as long as it is asked to, hears at once when it is to rest less, and when it is to stop', async () => {
  await expanded(0.2, '', async ({ sql, agent }) => {
    const { id } = await agent.request('backfill', { batchSize: 20, niceRatio: 4, maximumBatchSeconds: 5 })
    await until('rows are written', async () => (await typed(sql)) > 0)
    const from = { rows: await typed(sql), at: performance.now() }
    await new Promise((resolve) => setTimeout(resolve, 5_000))
    const perBatch = (20 * (performance.now() - from.at)) / 1000 / ((await typed(sql)) - from.rows)
    // A batch of 0.2 s and four times as much rest.
    expect(perBatch).toBeGreaterThan(0.8)
    await tune(agent, id, { niceRatio: 100 })
    await new Promise((resolve) => setTimeout(resolve, 2_000))
    await tune(agent, id, { niceRatio: 0, batchSize: 1000 })
    expect((await agent.ended(id)).state).toBe('succeeded')
    expect(await wrong(sql)).toBe(0)
  })
})

test('while the application is slower than its limit a backfill rests more, and less when it is quick again', async () => {
  const application = await slowApplication()
  const file = `api: { histogram: { url: '${application.url}', name: request_seconds } }
throttle: { apiLatencyP95Seconds: { pace: 0.1 } }\n`
  try {
    await expanded(0.1, file, async ({ sql, agent }) => {
      application.seconds = 0.5
      const { id } = await agent.request('backfill', { batchSize: 20, maximumBatchSeconds: 5 })
      const rate = async (): Promise<number> => {
        const rows = await typed(sql)
        await new Promise((resolve) => setTimeout(resolve, 4_000))
        return ((await typed(sql)) - rows) / 4
      }
      await until('rows are written', async () => (await typed(sql)) > 0)
      await new Promise((resolve) => setTimeout(resolve, 8_000))
      const slowly = await rate()
      expect((await operationOf(agent, id)).progress!.throttled).toBeNull()
      expect(slowly).toBeGreaterThan(0)
      await tune(agent, id, { limits: { apiLatencyP95Seconds: { pace: 'none' } } })
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      expect(await rate()).toBeGreaterThan(2 * slowly)
      await steer(agent, id, 'cancel')
      await agent.ended(id)
      const said = (await eventsOf(agent, id)).filter((message) => message.startsWith('rests'))
      expect(said).toEqual([
        expect.stringMatching(
          /^rests more: the 95th percentile of the application’s requests is 4\d\d ms, above 100 ms$/,
        ),
        'rests no more',
      ])
    })
  } finally {
    application.server.close()
  }
})

/** The /metrics of an application that answers 50 requests per second, each in `seconds`. */
async function slowApplication(): Promise<{ seconds: number; url: string; server: Server }> {
  const bounds = [0.05, 0.1, 0.25, 0.5, 1, Infinity]
  const requests: number[] = []
  const server = createServer((_request, response) => {
    const below = bounds.map((bound) => requests.filter((seconds) => seconds <= bound).length)
    const lines = bounds.map(
      (bound, i) => `request_seconds_bucket{le="${bound === Infinity ? '+Inf' : bound}"} ${below[i]}`,
    )
    const sum = requests.reduce((all, seconds) => all + seconds, 0)
    response.end(`${lines.join('\n')}\nrequest_seconds_sum ${sum}\nrequest_seconds_count ${requests.length}\n`)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/metrics`
  const application = { seconds: 0.01, url, server }
  const load = setInterval(() => requests.push(application.seconds), 20)
  server.once('close', () => clearInterval(load))
  return application
}
