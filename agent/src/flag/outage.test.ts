import postgres from 'postgres'
import { afterAll, beforeAll, expect } from 'vitest'
import { startPostgres, type PostgresServer } from '../../../test/support/server.ts'
import { ann, enableFlag, isOn, turnOffRequest, startFlagTestAgent, vehiclesRollout } from './flags.testing.ts'
import { waitFor } from '../../../test/support/waitFor.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'

let server: PostgresServer
beforeAll(async () => {
  server = await startPostgres(['-c', 'max_connections=20'])
})
afterAll(() => server.stop())

async function withSuperuser<T>(work: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  try {
    return await work(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}

const readStoredFlag = () => withSuperuser(async (sql) => (await sql`select enabled, version::int from sti.flag`)[0]!)

test('if PostgreSQL is stopped, the flag turns off immediately, and operation and event are written when it is available again', async () => {
  const agent = await startFlagTestAgent(server.url, 'a')
  await enableFlag(agent)
  await server.embedded.stop()
  expect(isOn(agent.flags)).toBe(true)
  const age = agent.flags.ageSeconds()!
  await waitFor('the age grows', () => agent.flags.ageSeconds()! > age + 1.5)

  const began = performance.now()
  const turned = agent.flags.turnOff(vehiclesRollout, ann, 'errors after the release', turnOffRequest('rollback'))
  expect(isOn(agent.flags)).toBe(false)
  const offAfter = performance.now() - began
  expect(await turned).toEqual({ persisted: false, operationId: null })
  expect(performance.now() - began).toBeLessThan(2_000)
  expect(offAfter).toBeLessThan(50)
  expect(agent.flags.status('vehicles')).toMatchObject({ enabled: false, persisted: false })

  await server.embedded.start()
  await waitFor('it is written', () => agent.flags.status('vehicles').persisted, { seconds: 15 })
  expect(isOn(agent.flags)).toBe(false)
  expect(await readStoredFlag()).toEqual({ enabled: false, version: 2 })
  await withSuperuser(async (sql) => {
    expect(
      await sql`select kind, reason, before->'enabled' as was from sti.operation_event where after->>'servedSince' is not null`,
    ).toMatchObject([{ kind: 'flag', reason: 'errors after the release', was: true }])
    expect(await sql`select kind, state from sti.operation order by id desc limit 1`).toMatchObject([
      { kind: 'rollback', state: 'succeeded' },
    ])
  })
  await waitFor('it is read again', () => agent.flags.ageSeconds()! < 1.5)
  await enableFlag(agent)
  expect(isOn(agent.flags)).toBe(true)
  await agent.close()
})

test('an agent that starts without a database answers off, and connects once the database is available', async () => {
  await withSuperuser((sql) => sql`update sti.flag set enabled = true, percentage = 100`)
  await server.embedded.stop()
  const agent = await startFlagTestAgent(server.url, 'b', { migrated: true })
  expect(agent.flags.evaluate('vehicles-sti', {}, { name: null, instance: null })).toMatchObject({
    value: false,
    reason: 'UNKNOWN',
  })
  expect(agent.flags.status('vehicles').ageSeconds).toBeNull()
  await server.embedded.start()
  await waitFor('it serves on', () => isOn(agent.flags), { seconds: 15 })
  expect(agent.lines.filter((line) => line.event === 'flag-database-away').length).toBeLessThanOrEqual(1)
  await agent.close()
})

test('if all connections are in use, the off is still written over the reserved connection', async () => {
  const agent = await startFlagTestAgent(server.url, 'c')
  await enableFlag(agent)
  await new Promise((resolve) => setTimeout(resolve, 1_500))
  const hogs: postgres.Sql[] = []
  for (let full = false; !full;) {
    const hog = postgres(server.url, { max: 1, onnotice: () => undefined })
    hogs.push(hog)
    full = await hog`select 1`.then(
      () => false,
      (error: { code: string }) => error.code === '53300',
    )
  }
  const turned = agent.flags.turnOff(vehiclesRollout, ann, null, turnOffRequest())
  expect(isOn(agent.flags)).toBe(false)
  expect(await turned).toMatchObject({ persisted: true })
  await Promise.all(hogs.map((hog) => hog.end({ timeout: 1 })))
  expect(await readStoredFlag()).toMatchObject({ enabled: false })
  await agent.close()
})

test('if the reserved connection is frozen, the off is written once over a new connection', async () => {
  const agent = await startFlagTestAgent(server.url, 'd')
  await enableFlag(agent)
  const pid = await withSuperuser(async (sql) => {
    let found: number | undefined
    await waitFor('the reserved connection is open', async () => {
      ;[{ pid: found } = { pid: undefined }] = await sql<{ pid?: number }[]>`
        select pid from pg_stat_activity where application_name = 'sti d urgent' and state = 'idle'`
      return found !== undefined
    })
    return found!
  })
  const { version } = await readStoredFlag()
  process.kill(pid, 'SIGSTOP')
  try {
    expect(await agent.flags.turnOff(vehiclesRollout, ann, null, turnOffRequest())).toMatchObject({ persisted: false })
    expect(isOn(agent.flags)).toBe(false)
    await waitFor('it is written', () => agent.flags.status('vehicles').persisted, { seconds: 8 })
  } finally {
    // A process that remains stopped would prevent the server from stopping.
    process.kill(pid, 'SIGCONT')
  }
  await new Promise((resolve) => setTimeout(resolve, 500))
  expect(await readStoredFlag()).toEqual({ enabled: false, version: version + 1 })
  await agent.close()
})
