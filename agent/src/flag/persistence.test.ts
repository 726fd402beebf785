import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import postgres from 'postgres'
import { expect } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'
import { waitFor } from '../../../test/support/waitFor.ts'
import {
  ann,
  changeRequest,
  createSeverableProxy,
  enableFlag,
  isOn,
  startFlagTestAgent,
  turnOffRequest,
  vehiclesRollout,
} from './flags.testing.ts'
import { createOffSpool } from './offSpool.ts'

async function withSpoolFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'sti-spool-'))
  try {
    await use(folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const spoolOf = (folder: string, databaseUrl: string, environment = 'staging') =>
  createOffSpool({ folder, environment, databaseUrl, log: () => undefined })

/** Each cannot be stored by PostgreSQL, or not by a database with this encoding, or not in an index. */
const UNSTORABLE_TEXTS = ['a\0b', '\ud800', 'x'.repeat(100_000).concat('\0'), '漢字'] as const

const ENCODINGS = { UTF8: UNSTORABLE_TEXTS.slice(0, 3), LATIN1: UNSTORABLE_TEXTS }

for (const [encoding, texts] of Object.entries(ENCODINGS))
  test(`in a database of ${encoding}, an off whose texts cannot be stored is stored without them`, async () => {
    await withDatabase(async ({ url, sql }) => {
      const name = new URL(url).pathname.slice(1)
      await sql.unsafe(`create database ${name}_e template template0 encoding '${encoding}' locale 'C'`)
      const encodedUrl = url.replace(name, `${name}_e`)
      const encoded = postgres(encodedUrl, { max: 1, onnotice: () => undefined })
      const agent = await startFlagTestAgent(encodedUrl, 'a')
      for (const text of texts) {
        await enableFlag(agent)
        const off = { kind: 'flag', parameters: { enabled: false, note: text } } as const
        const key = `key ${text}`.slice(0, 100)
        await agent.flags.turnOff(vehiclesRollout, { ...ann, name: `ann ${text}` }, text, {
          ...off,
          idempotencyKey: key,
        })
        expect(isOn(agent.flags)).toBe(false)
        await waitFor('it is stored', () => agent.flags.status('vehicles').persisted)
        const [row] = await encoded`
        select f.enabled, o.reason, o.parameters, o.actor->>'name' as by from sti.flag f join sti.operation o on o.id = f.operation_id`
        expect(row).toMatchObject({ enabled: false, reason: null, parameters: { enabled: false } })
        expect(row!.by).toMatch(/^ann /)
      }
      // The next off is not behind one that can never be stored.
      await enableFlag(agent)
      expect(await agent.flags.turnOff(vehiclesRollout, ann, 'plain', turnOffRequest())).toMatchObject({
        persisted: true,
      })
      await agent.close()
      await encoded.end()
      await sql.unsafe(`drop database ${name}_e`)
    })
  })

test('while the database does not take an off, it is said once, and repeated offs wait as one', async () => {
  await withDatabase(async ({ url, sql }) => {
    const agent = await startFlagTestAgent(url, 'a')
    await enableFlag(agent)
    const locker = postgres(url, { max: 1, onnotice: () => undefined })
    await locker.unsafe('begin; lock table sti.flag in access exclusive mode')
    for (let count = 0; count < 200; count++)
      void agent.flags.turnOff(vehiclesRollout, ann, `off ${count}`, turnOffRequest())
    expect(isOn(agent.flags)).toBe(false)
    expect(agent.flags.unstoredOffs()).toEqual([])
    await waitFor('it says why', () => agent.flags.unstoredOffs().length > 0, { seconds: 15 })
    expect(agent.flags.unstoredOffs()[0]).toMatch(
      /^The flag of vehicles was turned off \d+ s ago, and the database has not stored that: .*lock timeout.*memory of this agent only/,
    )
    expect(agent.flags.pendingOffSeconds('vehicles')).toBeGreaterThan(5)
    expect(agent.flags.status('vehicles').pendingOff).toMatchObject({
      error: expect.stringContaining('lock timeout'),
      spooled: false,
    })
    await locker.unsafe('rollback')
    await locker.end()
    await waitFor('it is stored', () => agent.flags.status('vehicles').persisted)
    expect(agent.flags.unstoredOffs()).toEqual([])
    expect(agent.flags.pendingOffSeconds('vehicles')).toBe(0)
    // One that was sent before the others came, and one for all of them.
    const offs = await sql`select from sti.operation where parameters->>'enabled' = 'false'`
    expect(offs).toHaveLength(2)
    const said = agent.lines.map(({ event }) => event)
    expect(said.filter((event) => event === 'flag-off-not-stored')).toHaveLength(1)
    expect(said.filter((event) => event === 'flag-off-stored')).toHaveLength(1)
    await agent.close()
  })
})

for (const fault of ['locked', 'unreachable'] as const)
  test(`an off that was given while the database was ${fault} is off after a restart, before and after the database is back`, async () => {
    await withSpoolFolder(async (folder) => {
      await withDatabase(async ({ url, sql }) => {
        const way = await createSeverableProxy(url)
        const first = await startFlagTestAgent(way.url, 'a', { spool: spoolOf(folder, url) })
        await enableFlag(first)
        const locker = postgres(url, { max: 1, onnotice: () => undefined })
        if (fault === 'locked') await locker.unsafe('begin; lock table sti.flag in access exclusive mode')
        else way.cut()
        await first.flags.turnOff(vehiclesRollout, ann, 'errors', turnOffRequest())
        await waitFor('it is kept', () => first.flags.status('vehicles').pendingOff?.spooled === true)
        await first.close()
        expect(first.lines.map(({ event }) => event)).toContain('flag-off-spooled')

        const other = await startFlagTestAgent(way.url, 'b', {
          migrated: true,
          spool: spoolOf(folder, url, 'production'),
        })
        expect(other.flags.status('vehicles').persisted).toBe(true)
        await other.close()
        const second = await startFlagTestAgent(way.url, 'a', { migrated: true, spool: spoolOf(folder, url) })
        expect(isOn(second.flags)).toBe(false)
        expect(second.flags.status('vehicles')).toMatchObject({ persisted: false, pendingOff: { spooled: true } })
        expect(second.lines).toMatchObject([{ event: 'flag-off-restored', reason: 'errors', actor: ann }])
        if (fault === 'locked') await locker.unsafe('rollback')
        else way.restore()
        await locker.end()
        await waitFor('it is stored', async () => (await sql`select from sti.flag where not enabled`).length === 1)
        await waitFor('nothing is kept any more', async () => (await readdir(folder)).length === 0)
        expect(isOn(second.flags)).toBe(false)
        expect(await sql`select reason from sti.operation order by id desc limit 1`).toEqual([{ reason: 'errors' }])
        await second.close()
        await way.close()
      })
    })
  })

test('an off that was stored just before the agent died is not repeated after somebody turned the flag on', async () => {
  await withSpoolFolder(async (folder) => {
    await withDatabase(async ({ url }) => {
      const agent = await startFlagTestAgent(url, 'a')
      await enableFlag(agent)
      const request = turnOffRequest()
      await agent.flags.turnOff(vehiclesRollout, ann, null, request)
      await enableFlag(agent)
      // What a process leaves that dies between the two.
      const change = {
        rollout: 'vehicles',
        fileHash: vehiclesRollout.hash,
        derivationHash: vehiclesRollout.derivationHash,
        kind: 'flag' as const,
        enabled: false,
        percentage: 0,
        actor: ann,
        reason: null,
        parameters: request.parameters,
        idempotencyKey: request.idempotencyKey,
        requestHash: 'not used',
        message: 'The flag was turned off.',
        expectedVersion: null,
        servedSince: null,
        agent: 'a',
      }
      const [stored] = (await agent.database.state`
        select request_hash from sti.operation where idempotency_key = ${request.idempotencyKey}`) as unknown as [
        { request_hash: string },
      ]
      const spool = spoolOf(folder, url)
      await spool.save({ id: 'left', since: Date.now(), change: { ...change, requestHash: stored.request_hash } })
      await writeFile(join(folder, (await readdir(folder))[0]!.replace('left', 'broken')), '{')
      await agent.close()
      const second = await startFlagTestAgent(url, 'a', { spool })
      expect(isOn(second.flags)).toBe(false)
      await waitFor('it serves on', () => isOn(second.flags), { seconds: 8 })
      await second.close()
    })
  })
})

test('a key that turned the flag off answers so only while it is off', async () => {
  await withDatabase(async ({ url, sql }) => {
    const agent = await startFlagTestAgent(url, 'a')
    await enableFlag(agent)
    const request = turnOffRequest()
    const first = await agent.flags.turnOff(vehiclesRollout, ann, null, request)
    expect(await agent.flags.turnOff(vehiclesRollout, ann, null, request)).toEqual(first)
    await enableFlag(agent)
    await expect(agent.flags.turnOff(vehiclesRollout, ann, null, request)).rejects.toMatchObject({
      code: 'superseded',
      message: expect.stringContaining('send a new key'),
    })
    await waitFor('it is on as before', () => isOn(agent.flags))
    expect(await sql`select from sti.operation`).toHaveLength(3)
    await agent.close()
  })
})

test('somebody who was told that the flag is off with a used key finds it off when the database is back', async () => {
  await withDatabase(async ({ url, sql }) => {
    const way = await createSeverableProxy(url)
    const agent = await startFlagTestAgent(way.url, 'a')
    await enableFlag(agent)
    const request = turnOffRequest()
    await agent.flags.turnOff(vehiclesRollout, ann, null, request)
    await enableFlag(agent)
    way.cut()
    expect(await agent.flags.turnOff(vehiclesRollout, ann, null, request)).toMatchObject({ persisted: false })
    way.restore()
    await waitFor('it is stored', () => agent.flags.status('vehicles').persisted)
    expect((await sql`select enabled from sti.flag`)[0]).toEqual({ enabled: false })
    expect(isOn(agent.flags)).toBe(false)
    await agent.close()
    await way.close()
  })
})

test('a key that turned the flag on answers so only while nothing has changed it', async () => {
  await withDatabase(async ({ url }) => {
    const agent = await startFlagTestAgent(url, 'a')
    await waitFor('the flag was read', () => agent.flags.ageSeconds() !== null)
    const request = changeRequest()
    const on = () => agent.flags.change(vehiclesRollout, { enabled: true, percentage: 100 }, ann, null, request)
    expect(await on()).toBe(await on())
    await agent.flags.turnOff(vehiclesRollout, ann, null, turnOffRequest())
    await expect(on()).rejects.toMatchObject({ code: 'superseded' })
    await agent.close()
  })
})
