import { setTimeout as sleep } from 'node:timers/promises'
import { createServer, type Server } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import postgres from 'postgres'
import { expect } from 'vitest'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { readEventMessages, readOperation, QUIET_LOG, controlOperation, tuneOperation } from '../support/operations.ts'
import { slowUpdates, countTypedRows, countWrongRows } from '../support/faultInjection.ts'
import { waitFor } from '../support/waitFor.ts'
import { realTimeTest as test } from '../support/realTime.ts'

interface ThrottledRollout {
  readonly url: string
  readonly sql: postgres.Sql
  readonly agent: TestAgent
}

/** An expanded table of 2,000 rows whose batches take this long, and additional lines of the rollout file. */
async function withSlowTable(
  seconds: number,
  file: string,
  use: (running: ThrottledRollout) => Promise<void>,
): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 2_000)
    await slowUpdates(sql, seconds)
    await withAgent(
      url,
      `${VEHICLES_FILE}triggers: { slow: harmless }\n${file}`,
      async (agent) => {
        await agent.run('expand')
        await use({ url, sql, agent })
      },
      QUIET_LOG,
    )
  })
}

const waitForThrottle = (agent: TestAgent, id: number, pattern: RegExp): Promise<string> =>
  waitFor(`it reports ${pattern}`, async () => {
    const { progress } = await readOperation(agent, id)
    return progress?.throttled && pattern.test(progress.throttled) ? progress.throttled : null
  })

test('signals and limits of the rollout file throttle the backfill and can be tuned during the run', async () => {
  const file = `signals: [{ name: queue, sql: select count(*) from public.queue, limit: 2 }]\nthrottle: { connectionsRatio: none }\n`
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 2_000)
    await sql`create table public.queue as select generate_series(1, 5) as job`
    await withAgent(
      url,
      `${VEHICLES_FILE}${file}`,
      async (agent) => {
        await agent.run('expand')
        const { id } = await agent.request('backfill', { batchSize: 100 })
        expect(await waitForThrottle(agent, id, /^signal:/)).toBe('signal: queue is 5 (limit 2)')
        // A limit of the operation overrides the file. The next reason is then a default limit.
        await tuneOperation(agent, id, { limits: { connectionsRatio: 0, signals: { queue: 10 } } })
        await waitForThrottle(agent, id, /^connections: .* of the connections are in use$/)
        expect(await countTypedRows(sql)).toBe(0)
        await tuneOperation(agent, id, { limits: { signals: { queue: null } } })
        await waitForThrottle(agent, id, /^connections:/)
        await tuneOperation(agent, id, { limits: { connectionsRatio: null } })
        await waitForThrottle(agent, id, /^signal:/)
        await sql`drop table public.queue`
        await waitForThrottle(agent, id, /^signal-unknown: signal queue is unknown: .*queue/)
        expect(await countTypedRows(sql)).toBe(0)
        await tuneOperation(agent, id, { limits: { signals: { queue: 'none' } } })
        expect((await agent.waitForEnd(id)).state).toBe('succeeded')
        expect(await countWrongRows(sql)).toBe(0)
        const said = (await readEventMessages(agent, id)).filter((message) => /^Waiting|^Resumed/.test(message))
        expect(said[0]).toBe('Waiting: queue is 5 (limit 2)')
        expect(said.at(-1)).toBe('Resumed')
      },
      QUIET_LOG,
    )
  })
})

test('above an abort limit the backfill pauses with advice, writes nothing more, and resumes after the fix', async () => {
  await withSlowTable(
    0.1,
    'throttle: { oldestSnapshotSeconds: { pause: none, abort: 2 } }\n',
    async ({ url, sql, agent }) => {
      const { id } = await agent.request('backfill', { batchSize: 50 })
      await waitFor('rows are written', async () => (await countTypedRows(sql)) > 0)
      const reader = postgres(url, { max: 1, onnotice: () => undefined, connection: { application_name: 'report' } })
      await reader.unsafe('begin isolation level repeatable read; select count(*) from public.vehicles')
      const stopped = await agent.waitForEnd(id)
      expect(stopped).toMatchObject({ state: 'paused', errorCode: 'trouble' })
      expect(stopped.error).toMatch(
        /^Pid \d+ \(report, idle in transaction\) has held a snapshot for .* \(abort limit 2 s\)\. End it, or raise limits\.oldestSnapshotSeconds, then resume\.$/,
      )
      const written = await countTypedRows(sql)
      expect(written).toBeLessThan(2_000)
      await controlOperation(agent, id, 'resume')
      expect((await agent.waitForEnd(id)).state).toBe('paused')
      expect(await countTypedRows(sql)).toBe(written)
      await reader.end({ timeout: 0 })
      await slowUpdates(sql, 0)
      await controlOperation(agent, id, 'resume')
      expect((await agent.waitForEnd(id)).state).toBe('succeeded')
      expect(await countWrongRows(sql)).toBe(0)
    },
  )
})

test('the rest ratio applies, and changes of it or a stop take effect immediately', async () => {
  await withSlowTable(0.2, '', async ({ sql, agent }) => {
    const { id } = await agent.request('backfill', { batchSize: 20, niceRatio: 4, maximumBatchSeconds: 5 })
    await waitFor('rows are written', async () => (await countTypedRows(sql)) > 0)
    const from = { rows: await countTypedRows(sql), at: performance.now() }
    await sleep(5_000)
    const perBatch = (20 * (performance.now() - from.at)) / 1000 / ((await countTypedRows(sql)) - from.rows)
    // A batch takes 0.2 s, followed by four times as much rest.
    expect(perBatch).toBeGreaterThan(0.8)
    await tuneOperation(agent, id, { niceRatio: 100 })
    await sleep(2_000)
    await tuneOperation(agent, id, { niceRatio: 0, batchSize: 1000 })
    expect((await agent.waitForEnd(id)).state).toBe('succeeded')
    expect(await countWrongRows(sql)).toBe(0)
  })
})

test('a backfill rests more while the application exceeds its latency limit, and less afterwards', async () => {
  const application = await slowApplication()
  const file = `api: { histogram: { url: '${application.url}', name: request_seconds } }
throttle: { apiLatencyP95Seconds: { pace: 0.1 } }\n`
  try {
    await withSlowTable(0.1, file, async ({ sql, agent }) => {
      application.seconds = 0.5
      const { id } = await agent.request('backfill', { batchSize: 20, maximumBatchSeconds: 5 })
      const rate = async (): Promise<number> => {
        const rows = await countTypedRows(sql)
        await sleep(4_000)
        return ((await countTypedRows(sql)) - rows) / 4
      }
      await waitFor('rows are written', async () => (await countTypedRows(sql)) > 0)
      await sleep(8_000)
      const slowly = await rate()
      expect((await readOperation(agent, id)).progress!.throttled).toBeNull()
      expect(slowly).toBeGreaterThan(0)
      await tuneOperation(agent, id, { limits: { apiLatencyP95Seconds: { pace: 'none' } } })
      await sleep(1_000)
      expect(await rate()).toBeGreaterThan(2 * slowly)
      await controlOperation(agent, id, 'cancel')
      await agent.waitForEnd(id)
      const said = (await readEventMessages(agent, id)).filter((message) => /^Slowing down|^Back to full/.test(message))
      expect(said).toEqual([
        expect.stringMatching(
          /^Slowing down: the 95th percentile of the application’s request duration is 4\d\d ms \(limit 100 ms\)$/,
        ),
        'Back to full speed',
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
