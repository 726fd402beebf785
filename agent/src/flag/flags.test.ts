import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { ann, enable, isOn, link, off, request, startAgent, until, vehicles } from './flags.testing.ts'

test('a change is one operation, one event and the new state; asked again it is the same one', async () => {
  await withDatabase(async ({ url, sql }) => {
    const agent = await startAgent(url, 'a')
    const { flags } = agent
    expect(isOn(flags)).toBe(false)
    await until('read', () => flags.ageSeconds() !== null)
    const asked = request('what was asked')
    const change = () => flags.change(vehicles, { enabled: true, percentage: 25 }, ann, 'go', asked)
    const id = await change()
    expect(await change()).toBe(id)
    const [operation] = await sql`select * from sti.operation`
    expect(operation).toMatchObject({
      id: String(id),
      rollout: 'vehicles',
      kind: 'flag',
      state: 'succeeded',
      parameters: { enabled: true, percentage: 25, force: false },
      file_hash: vehicles.hash,
      writes_table: false,
      actor: ann,
      reason: 'go',
      agent: 'a',
    })
    const events = await sql`select operation_id, kind, actor, reason, before, after from sti.operation_event`
    expect(events).toEqual([
      {
        operation_id: String(id),
        kind: 'flag',
        actor: ann,
        reason: 'go',
        before: { enabled: false, percentage: 0, version: 0 },
        after: { enabled: true, percentage: 25, version: 1 },
      },
    ])
    expect(flags.status('vehicles')).toMatchObject({
      enabled: true,
      percentage: 25,
      version: 1,
      changedBy: 'ann',
      persisted: true,
    })
    const other = flags.change(vehicles, { enabled: true, percentage: 100 }, ann, 'go', {
      ...asked,
      requestHash: 'else',
    })
    await expect(other).rejects.toMatchObject({ code: 'conflict' })
    await agent.close()
  })
})

test('the same request twice at the same moment is written once', async () => {
  await withDatabase(async ({ url, sql }) => {
    const agent = await startAgent(url, 'a')
    await until('read', () => agent.flags.ageSeconds() !== null)
    const asked = request()
    const change = () => agent.flags.change(vehicles, { enabled: true, percentage: 100 }, ann, null, asked)
    const ids = await Promise.all([change(), change(), change()])
    expect(new Set(ids).size).toBe(1)
    expect((await sql`select version::int from sti.flag`)[0]).toEqual({ version: 1 })
    expect((await sql`select count(*)::int as n from sti.operation_event`)[0]).toEqual({ n: 1 })
    await agent.close()
  })
})

test('another agent serves the change within two seconds, and neither overwrites what it has not seen', async () => {
  await withDatabase(async ({ url, sql }) => {
    const a = await startAgent(url, 'a')
    const b = await startAgent(url, 'b')
    await until('b read', () => b.flags.ageSeconds() !== null)
    await enable(a)
    const stale = b.flags.change(vehicles, { enabled: true, percentage: 5 }, ann, null, request())
    await expect(stale).rejects.toMatchObject({ code: 'conflict' })
    await until('b serves on', () => isOn(b.flags), 8)
    await b.flags.turnOff(vehicles, ann, null, off())
    await until('a serves off', () => !isOn(a.flags), 8)
    expect((await sql`select enabled, version::int from sti.flag`)[0]).toEqual({ enabled: false, version: 2 })
    await Promise.all([a.close(), b.close()])
  })
})

test('nothing is served on before the identity is confirmed and the database was read', async () => {
  await withDatabase(async ({ url, sql }) => {
    const first = await startAgent(url, 'a')
    await enable(first)
    await first.close()
    const agent = await startAgent(url, 'b', { serving: false })
    await new Promise((resolve) => setTimeout(resolve, 1_300))
    expect(agent.flags.evaluate('vehicles-sti', {}, null)).toMatchObject({
      value: false,
      reason: 'UNKNOWN',
      metadata: { why: expect.stringContaining('identity') },
    })
    agent.flags.serveOff(null)
    expect(isOn(agent.flags)).toBe(false)
    await until('served on', () => isOn(agent.flags), 8)
    agent.flags.serveOff('a clone of production')
    expect(isOn(agent.flags)).toBe(false)
    const enabling = agent.flags.change(vehicles, { enabled: true, percentage: 100 }, ann, null, request())
    await expect(enabling).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining('a clone') })
    const rows = await sql`select * from sti.operation`
    expect(await agent.flags.turnOff(vehicles, ann, null, off())).toEqual({ persisted: false, operationId: null })
    expect(await sql`select * from sti.operation`).toEqual(rows)
    agent.flags.serveOff(null)
    await until('the off was written', async () => !(await sql`select enabled from sti.flag`)[0]!.enabled)
    await agent.close()
  })
})

test('an off that cannot be written wins over a database that still says on', async () => {
  await withDatabase(async ({ url, sql }) => {
    const agent = await startAgent(url, 'a')
    await enable(agent)
    const name = new URL(url).pathname.slice(1)
    const readOnly = async (value: string) => {
      await sql.unsafe(`alter database ${name} set default_transaction_read_only = ${value}`)
      await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'sti a %'`
    }
    await readOnly('on')
    const turned = agent.flags.turnOff(vehicles, ann, 'errors', off('rollback'))
    expect(isOn(agent.flags)).toBe(false)
    expect(await turned).toEqual({ persisted: false, operationId: null })
    const before = agent.flags.ageSeconds()!
    await until('the database was read again', () => agent.flags.ageSeconds()! < before + 0.2, 5)
    for (let count = 0; count < 150; count++) {
      expect(isOn(agent.flags)).toBe(false)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(agent.flags.status('vehicles')).toMatchObject({ enabled: false, persisted: false })
    const enabling = agent.flags.change(vehicles, { enabled: true, percentage: 100 }, ann, null, request())
    await expect(enabling).rejects.toMatchObject({ code: 'database-away' })
    await sql.unsafe('set default_transaction_read_only = off')
    await sql.unsafe(
      `set default_transaction_read_only = off; alter database ${name} set default_transaction_read_only = off`,
    )
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'sti a %'`
    await until('written', () => agent.flags.status('vehicles').persisted)
    expect(isOn(agent.flags)).toBe(false)
    expect((await sql`select enabled from sti.flag`)[0]).toEqual({ enabled: false })
    expect(await sql`select kind, state from sti.operation order by id desc limit 1`).toEqual([
      { kind: 'rollback', state: 'succeeded' },
    ])
    await agent.close()
  })
})

test('off wins over an enabling made elsewhere before it was written, and not over one made after', async () => {
  await withDatabase(async ({ url, sql }) => {
    const way = await link(url)
    const a = await startAgent(way.url, 'a')
    const b = await startAgent(url, 'b')
    await enable(a, 50)
    await until('b read it', () => b.flags.status('vehicles').version === 1, 8)
    way.cut()
    const offs = [off(), off('rollback')]
    const answers = await Promise.all(offs.map((asked) => a.flags.turnOff(vehicles, ann, null, asked)))
    expect(answers.every((answer) => !answer.persisted)).toBe(true)
    await enable(b)
    expect(isOn(b.flags)).toBe(true)
    expect(isOn(a.flags)).toBe(false)
    way.mend()
    await until('both are written', () => a.flags.status('vehicles').persisted)
    expect(isOn(a.flags)).toBe(false)
    await until('b serves off', () => !isOn(b.flags), 8)
    const kinds = await sql`select kind, parameters->'enabled' as enabled from sti.operation order by id`
    expect(kinds.map(({ kind, enabled }) => `${kind} ${enabled}`)).toEqual([
      'flag true',
      'flag true',
      'flag false',
      'rollback null',
    ])
    const [last] = await sql`select after from sti.operation_event order by id desc limit 1`
    expect(Date.parse(String(last!.after.servedSince))).toBeLessThan(Date.now())

    await enable(b)
    await until('a serves on', () => isOn(a.flags), 8)
    await a.flags.turnOff(vehicles, ann, null, offs[0]!)
    await until('the repeated request changed nothing', () => isOn(a.flags), 8)
    expect((await sql`select count(*)::int as n from sti.operation`)[0]).toEqual({ n: 5 })
    await Promise.all([a.close(), b.close()])
    await way.close()
  })
})

test('an off whose idempotency key belongs to another request is off all the same', async () => {
  await withDatabase(async ({ url, sql }) => {
    const agent = await startAgent(url, 'a')
    await enable(agent)
    const [{ idempotency_key: used }] = (await sql`select idempotency_key from sti.operation`) as unknown as [
      { idempotency_key: string },
    ]
    await agent.flags.turnOff(vehicles, ann, null, { ...off(), idempotencyKey: used })
    await until('written', async () => !(await sql`select enabled from sti.flag`)[0]!.enabled)
    expect(isOn(agent.flags)).toBe(false)
    await agent.close()
  })
})

test('a reading that began before the off was written, and comes after it, does not bring the flag back', async () => {
  await withDatabase(async ({ url }) => {
    const way = await link(url)
    const agent = await startAgent(way.url, 'a')
    await enable(agent)
    await way.keepBack('"enabled": true')
    expect(await agent.flags.turnOff(vehicles, ann, null, off())).toMatchObject({ persisted: true })
    way.release()
    for (let count = 0; count < 150; count++) {
      expect(isOn(agent.flags)).toBe(false)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await agent.close()
    await way.close()
  })
})
