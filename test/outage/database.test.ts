import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { expect, test } from 'vitest'
import type { Operation } from '../../agent/src/contract/index.ts'
import { withAgent } from '../support/agent.ts'
import { startPostgres, type PostgresServer } from '../support/server.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { waitFor } from '../support/waitFor.ts'

const ROWS = 60_000

/** A separate server for each test, since it is killed. */
async function withServer(test: (server: PostgresServer) => Promise<void>): Promise<void> {
  const server = await startPostgres()
  try {
    await withSql(server, (sql) => createVehicles(sql, ROWS))
    await test(server)
  } finally {
    await server.stop()
  }
}

async function withSql<T>(server: PostgresServer, use: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  try {
    return await use(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

const ready = async (url: string): Promise<boolean> => (await fetch(`${url}/readyz`)).ok

async function wrongRows(server: PostgresServer): Promise<number> {
  const [row] = await withSql(
    server,
    (sql) => sql<{ wrong: number }[]>`select count(*)::int as wrong from public.vehicles
    where type is distinct from case when is_truck then 'Truck' when is_bike then 'Bike' else 'Car' end`,
  )
  return row!.wrong
}

test('after a database is killed in the middle of a backfill and restarted, the backfill completes automatically', async () => {
  await withServer(async (server) => {
    await withAgent(server.url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      const { id } = await agent.request('backfill', { batchSize: 100, checkpointInterval: 5 })
      for (let kills = 0; kills < 2; kills++) {
        await sleep(700)
        await server.crash()
        expect((await fetch(`${agent.url}/livez`)).ok).toBe(true)
        await waitFor('not ready without a database', async () => !(await ready(agent.url)), {
          ignoreErrors: true,
        })
        const answer = await agent.post<{ code: string }>('/v1/rollouts/vehicles/operations', {
          kind: 'validation',
          environment: 'staging',
          parameters: {},
        })
        expect([503, 409]).toContain(answer.status)
        await server.restart()
        await waitFor('ready again', () => ready(agent.url), { ignoreErrors: true })
      }
      const ended = await agent.waitForEnd(id)
      expect(ended).toMatchObject({ state: 'succeeded', result: { passedRows: ROWS, failedRows: 0 } })
      expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass', coverage: 1, rows: ROWS })
    })
    expect(await wrongRows(server)).toBe(0)
  })
})

test('after a database is frozen and resumed, no row is lost, even if the lease expires', async () => {
  await withServer(async (server) => {
    await withAgent(server.url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      const { id } = await agent.request('backfill', { batchSize: 100 })
      await sleep(500)
      await server.signal('SIGSTOP')
      await sleep(13_000)
      expect((await fetch(`${agent.url}/livez`)).ok).toBe(true)
      await server.signal('SIGCONT')
      await waitFor('ended', async () => (await agent.get<Operation>(`/v1/operations/${id}`)).state === 'succeeded', {
        ignoreErrors: true,
      })
    })
    expect(await wrongRows(server)).toBe(0)
  })
})

test('if the database is down at startup, the agent starts, reports it, and continues once the database is available', async () => {
  await withServer(async (server) => {
    await server.crash()
    await withAgent(
      server.url,
      VEHICLES_FILE,
      async (agent) => {
        expect((await fetch(`${agent.url}/livez`)).ok).toBe(true)
        expect(
          await fetch(`${agent.url}/readyz`).then(async (answer) => [
            answer.status,
            JSON.stringify(await answer.json()),
          ]),
        ).toEqual([503, expect.stringMatching(/cannot be reached|not been reached/)])
        const refused = await agent.post<{ code: string; detail: string }>('/v1/rollouts/vehicles/operations', {
          kind: 'expand',
          environment: 'staging',
        })
        expect(refused).toMatchObject({ status: 503, body: { code: 'database-away' } })
        // Turning the flag off needs no database.
        const off = await agent.post<Operation>('/v1/rollouts/vehicles/operations', {
          kind: 'flag',
          environment: 'staging',
          parameters: { enabled: false },
        })
        expect(off).toMatchObject({ status: 202, body: { persisted: false } })
        await server.restart()
        await waitFor('ready', () => ready(agent.url), { ignoreErrors: true })
        await agent.run('expand')
      },
      { boot: 'without-database' },
    )
  })
})
