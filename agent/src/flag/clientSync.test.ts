import { expect } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect } from '../database/connect.ts'
import { migrate } from '../database/migrate.ts'
import { syncClients } from './clientSync.ts'
import { createClientRegistry } from './clientRegistry.ts'
import {
  ann,
  enableFlag,
  isOn,
  turnOffRequest,
  startFlagTestAgent,
  vehiclesRollout,
  type FlagTestAgent,
} from './flags.testing.ts'
import { waitFor } from '../../../test/support/waitFor.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'

const findClient = (agent: FlagTestAgent, name: string) =>
  agent.flags.status('vehicles').clients.find((client) => client.client === name)

test('agents share their clients: all of them know the last answer of any agent', async () => {
  await withDatabase(async ({ url }) => {
    const a = await startFlagTestAgent(url, 'a')
    const b = await startFlagTestAgent(url, 'b')
    await enableFlag(a)
    isOn(a.flags, 'web-1')
    await waitFor('b knows it', () => findClient(b, 'web-1')?.answeredOn === true, { seconds: 8 })
    expect(findClient(b, 'web-1')).toMatchObject({ stale: false })

    await a.flags.turnOff(vehiclesRollout, ann, null, turnOffRequest())
    expect(findClient(a, 'web-1')).toMatchObject({ stale: true })
    expect(a.flags.status('vehicles').consistent).toBe(false)
    await waitFor('b serves off', () => !b.flags.status('vehicles').enabled, { seconds: 8 })
    expect(findClient(b, 'web-1')).toMatchObject({ stale: true })
    expect(isOn(b.flags, 'web-1')).toBe(false)
    await waitFor('a knows of its request to b', () => a.flags.status('vehicles').consistent, { seconds: 8 })
    await Promise.all([a.close(), b.close()])
  })
})

test('an agent still knows its clients after a restart, and a silent client waits to be accepted', async () => {
  await withDatabase(async ({ url, sql }) => {
    const first = await startFlagTestAgent(url, 'a')
    await enableFlag(first)
    isOn(first.flags, 'crashed-1', 'instance-of-crashed')
    isOn(first.flags, 'alive-1')
    await waitFor('written', async () => (await sql`select from sti.flag_client`).length === 2, { seconds: 8 })
    await first.flags.turnOff(vehiclesRollout, ann, null, turnOffRequest())
    isOn(first.flags, 'gone-1', 'instance-of-gone')
    await waitFor('written', async () => (await sql`select from sti.flag_client`).length === 3, { seconds: 8 })
    await first.close()
    // A process that asked for each use, and was restarted with the flag on: nothing acts on its answer any more.
    await sql`insert into sti.flag_client values ('vehicles', 'restarted-1', '', now(), 1, true)`
    await sql`update sti.flag_client set last_seen_at = last_seen_at - interval '61 s' where client <> 'alive-1'`

    const agent = await startFlagTestAgent(url, 'a')
    await waitFor('loaded', () => agent.flags.status('vehicles').clients.length === 2, { seconds: 8 })
    isOn(agent.flags, 'alive-1')
    expect(agent.flags.status('vehicles').clients).toMatchObject([
      { client: 'alive-1', stale: false, answeredOn: false },
      { client: 'crashed-1', stale: true, answeredOn: true, acceptedBy: null },
    ])
    await waitFor('expired clients are deleted', async () => (await sql`select from sti.flag_client`).length === 2, {
      seconds: 8,
    })
    for (const name of ['alive-1', 'nobody'])
      await expect(agent.flags.acceptClients('vehicles', [name], ann, 'x')).rejects.toMatchObject({ code: 'refused' })
    await agent.flags.acceptClients('vehicles', ['crashed-1'], ann, 'its host was removed')
    expect(agent.flags.status('vehicles').consistent).toBe(true)
    expect(
      await sql`select actor->>'name' as actor, reason, after from sti.operation_event where kind = 'flag-client'`,
    ).toEqual([{ actor: 'ann', reason: 'its host was removed', after: { acceptedBy: 'ann' } }])
    await new Promise((resolve) => setTimeout(resolve, 1_200))
    expect(findClient(agent, 'crashed-1')).toMatchObject({ stale: false, acceptedBy: 'ann' })
    isOn(agent.flags, 'crashed-1', 'instance-of-crashed')
    await waitFor(
      'it is alive after all',
      async () => {
        const [row] = await sql`select accepted_by from sti.flag_client where client = 'crashed-1'`
        return row?.accepted_by === null
      },
      { seconds: 4 },
    )
    await agent.close()
  })
})

test('a client that returns at the moment of its deletion is kept', async () => {
  await withDatabase(async ({ url, sql }) => {
    const database = connect(url, 'a')
    await migrate(database, false)
    await sql`insert into sti.flag_client values ('vehicles', 'web-1', '', now() - interval '61 s', 1, false)`
    const clients = createClientRegistry({ now: Date.now, longestRequestMs: 30_000 })
    clients.recordRequest({ name: 'web-1', instance: null }, { version: 2, pending: 0 }, true)
    const flags = new Map([['vehicles', { clients, longestRequestSeconds: 30 }]])
    await syncClients(database.state, flags, { milliseconds: 0 })
    const rows = await sql`select client, version::int, served_enabled from sti.flag_client`
    expect(rows).toEqual([{ client: 'web-1', version: 2, served_enabled: true }])
    await database.close()
  })
})

test('the propagation time is measured from the change to the last live client', async () => {
  await withDatabase(async ({ url }) => {
    const agent = await startFlagTestAgent(url, 'a')
    const heard: [string, number][] = []
    agent.flags.onPropagation((rollout, seconds) => heard.push([rollout, seconds]))
    await enableFlag(agent)
    for (const name of ['web-1', 'web-2']) isOn(agent.flags, name)
    await agent.flags.turnOff(vehiclesRollout, ann, null, turnOffRequest())
    isOn(agent.flags, 'web-1')
    expect(heard).toEqual([])
    await new Promise((resolve) => setTimeout(resolve, 300))
    isOn(agent.flags, 'web-2')
    expect(heard).toHaveLength(1)
    expect(heard[0]![0]).toBe('vehicles')
    expect(heard[0]![1]).toBeGreaterThanOrEqual(0.3)
    expect(heard[0]![1]).toBeLessThan(10)
    expect(agent.flags.status('vehicles')).toMatchObject({ consistent: true, lastPropagationSeconds: heard[0]![1] })
    await agent.close()
  })
})

test('a wrong clock of one agent does not change the age of clients', async () => {
  await withDatabase(async ({ url }) => {
    const a = await startFlagTestAgent(url, 'a', { now: () => Date.now() + 3_600_000 })
    const b = await startFlagTestAgent(url, 'b')
    await enableFlag(a)
    await waitFor('b serves on', () => isOn(b.flags), { seconds: 8 })
    isOn(a.flags, 'web-1')
    await waitFor('b knows it', () => findClient(b, 'web-1') !== undefined, { seconds: 8 })
    expect(Math.abs(Date.now() - Date.parse(findClient(b, 'web-1')!.lastSeenAt))).toBeLessThan(30_000)
    await b.flags.turnOff(vehiclesRollout, ann, null, turnOffRequest())
    isOn(b.flags, 'web-1')
    await waitFor('a knows of its later request to b', () => findClient(a, 'web-1')?.answeredOn === false, {
      seconds: 8,
    })
    await Promise.all([a.close(), b.close()])
  })
})

test('every silent client is accepted at once, and one that asked meanwhile is not', async () => {
  await withDatabase(async ({ url, sql }) => {
    const agent = await startFlagTestAgent(url, 'a')
    await enableFlag(agent)
    for (const name of ['pod-1', 'pod-2', 'pod-3', 'pod-4']) isOn(agent.flags, name, `instance-of-${name}`)
    await waitFor('written', async () => (await sql`select from sti.flag_client`).length === 4, { seconds: 8 })
    await agent.close()
    await sql`update sti.flag_client set last_seen_at = last_seen_at - interval '61 s' where client <> 'pod-4'`
    const later = await startFlagTestAgent(url, 'a')
    await waitFor('loaded', () => later.flags.status('vehicles').clients.length === 4, { seconds: 8 })
    await expect(later.flags.acceptClients('vehicles', 'all', ann, 'x')).rejects.toMatchObject({ code: 'refused' })
    await later.flags.turnOff(vehiclesRollout, ann, null, turnOffRequest())
    await later.flags.acceptClients('vehicles', ['pod-1'], ann, 'stopped')
    await later.flags.acceptClients('vehicles', 'all', ann, 'stopped')
    const stale = later.flags.status('vehicles').clients.filter((client) => client.stale)
    expect(stale.map(({ client }) => client)).toEqual(['pod-4'])
    const events = await sql<
      { message: string }[]
    >`select message from sti.operation_event where kind = 'flag-client' order by id`
    expect(events.map(({ message }) => message)).toEqual([
      'Silent clients were accepted: pod-1.',
      'Silent clients were accepted: pod-2, pod-3.',
    ])
    await later.close()
  })
})
