import { expect } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import {
  ann,
  enableFlag,
  isOn,
  createSeverableProxy,
  turnOffRequest,
  changeRequest,
  startFlagTestAgent,
  vehiclesRollout,
} from './flags.testing.ts'
import { waitFor } from '../../../test/support/waitFor.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'

test('a change is one operation, one event, and the new state; a repeated request returns the same operation', async () => {
  await withDatabase(async ({ url, sql }) => {
    const agent = await startFlagTestAgent(url, 'a')
    const { flags } = agent
    expect(isOn(flags)).toBe(false)
    await waitFor('read', () => flags.ageSeconds() !== null)
    const asked = changeRequest('what was requested')
    const change = () => flags.change(vehiclesRollout, { enabled: true, percentage: 25 }, ann, 'go', asked)
    const id = await change()
    expect(await change()).toBe(id)
    const [operation] = await sql`select * from sti.operation`
    expect(operation).toMatchObject({
      id: String(id),
      rollout: 'vehicles',
      kind: 'flag',
      state: 'succeeded',
      parameters: { enabled: true, percentage: 25, force: false },
      file_hash: vehiclesRollout.hash,
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
    const other = flags.change(vehiclesRollout, { enabled: true, percentage: 100 }, ann, 'go', {
      ...asked,
      requestHash: 'else',
    })
    await expect(other).rejects.toMatchObject({ code: 'conflict' })
    await agent.close()
  })
})

test('two concurrent identical requests are written once', async () => {
  await withDatabase(async ({ url, sql }) => {
    const agent = await startFlagTestAgent(url, 'a')
    await waitFor('read', () => agent.flags.ageSeconds() !== null)
    const asked = changeRequest()
    const change = () => agent.flags.change(vehiclesRollout, { enabled: true, percentage: 100 }, ann, null, asked)
    const ids = await Promise.all([change(), change(), change()])
    expect(new Set(ids).size).toBe(1)
    expect((await sql`select version::int from sti.flag`)[0]).toEqual({ version: 1 })
    expect((await sql`select count(*)::int as n from sti.operation_event`)[0]).toEqual({ n: 1 })
    await agent.close()
  })
})

test('another agent serves the change within two seconds, and neither agent overwrites a change that it has not read', async () => {
  await withDatabase(async ({ url, sql }) => {
    const a = await startFlagTestAgent(url, 'a')
    const b = await startFlagTestAgent(url, 'b')
    await waitFor('b read', () => b.flags.ageSeconds() !== null)
    await enableFlag(a)
    const stale = b.flags.change(vehiclesRollout, { enabled: true, percentage: 5 }, ann, null, changeRequest())
    await expect(stale).rejects.toMatchObject({ code: 'conflict' })
    await waitFor('b serves on', () => isOn(b.flags), { seconds: 8 })
    await b.flags.turnOff(vehiclesRollout, ann, null, turnOffRequest())
    await waitFor('a serves off', () => !isOn(a.flags), { seconds: 8 })
    expect((await sql`select enabled, version::int from sti.flag`)[0]).toEqual({ enabled: false, version: 2 })
    await Promise.all([a.close(), b.close()])
  })
})

test('no flag is served on before the identity is confirmed and the database was read', async () => {
  await withDatabase(async ({ url, sql }) => {
    const first = await startFlagTestAgent(url, 'a')
    await enableFlag(first)
    await first.close()
    const agent = await startFlagTestAgent(url, 'b', { serving: false })
    await new Promise((resolve) => setTimeout(resolve, 1_300))
    expect(agent.flags.evaluate('vehicles-sti', {}, { name: null, instance: null })).toMatchObject({
      value: false,
      reason: 'UNKNOWN',
      metadata: { why: expect.stringContaining('identity') },
    })
    agent.flags.serveOff(null)
    expect(isOn(agent.flags)).toBe(false)
    await waitFor('served on', () => isOn(agent.flags), { seconds: 8 })
    agent.flags.serveOff('a clone of production')
    expect(isOn(agent.flags)).toBe(false)
    const enabling = agent.flags.change(vehiclesRollout, { enabled: true, percentage: 100 }, ann, null, changeRequest())
    await expect(enabling).rejects.toMatchObject({ code: 'refused', message: expect.stringContaining('a clone') })
    const rows = await sql`select * from sti.operation`
    expect(await agent.flags.turnOff(vehiclesRollout, ann, null, turnOffRequest())).toEqual({
      persisted: false,
      operationId: null,
    })
    expect(await sql`select * from sti.operation`).toEqual(rows)
    agent.flags.serveOff(null)
    await waitFor('the off was written', async () => !(await sql`select enabled from sti.flag`)[0]!.enabled)
    await agent.close()
  })
})

test('an off that cannot be written wins over a database that still has on', async () => {
  await withDatabase(async ({ url, sql }) => {
    const agent = await startFlagTestAgent(url, 'a')
    await enableFlag(agent)
    await sql.unsafe(`create function public.refuse() returns trigger language plpgsql as $$ begin
        raise exception 'cannot write in a read-only transaction' using errcode = '25006'; end $$;
      create trigger refuse before insert or update on sti.flag for each row execute function public.refuse()`)
    const turned = agent.flags.turnOff(vehiclesRollout, ann, 'errors', turnOffRequest('rollback'))
    expect(isOn(agent.flags)).toBe(false)
    expect(await turned).toEqual({ persisted: false, operationId: null })
    const before = agent.flags.ageSeconds()!
    await waitFor('the database was read again', () => agent.flags.ageSeconds()! < before + 0.2, { seconds: 5 })
    for (let count = 0; count < 150; count++) {
      expect(isOn(agent.flags)).toBe(false)
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    expect(agent.flags.status('vehicles')).toMatchObject({ enabled: false, persisted: false })
    const enabling = agent.flags.change(vehiclesRollout, { enabled: true, percentage: 100 }, ann, null, changeRequest())
    await expect(enabling).rejects.toMatchObject({ code: 'database-away' })
    await sql.unsafe('drop function public.refuse() cascade')
    await waitFor('written', () => agent.flags.status('vehicles').persisted)
    expect(isOn(agent.flags)).toBe(false)
    expect((await sql`select enabled from sti.flag`)[0]).toEqual({ enabled: false })
    expect(await sql`select kind, state from sti.operation order by id desc limit 1`).toEqual([
      { kind: 'rollback', state: 'succeeded' },
    ])
    await agent.close()
  })
})

test('off wins over an enable on another agent before it was written, but not over a later one', async () => {
  await withDatabase(async ({ url, sql }) => {
    const way = await createSeverableProxy(url)
    const a = await startFlagTestAgent(way.url, 'a')
    const b = await startFlagTestAgent(url, 'b')
    await enableFlag(a, 50)
    await waitFor('b read it', () => b.flags.status('vehicles').version === 1, { seconds: 8 })
    way.cut()
    const offs = [turnOffRequest(), turnOffRequest('rollback')]
    const answers = await Promise.all(offs.map((asked) => a.flags.turnOff(vehiclesRollout, ann, null, asked)))
    expect(answers.every((answer) => !answer.persisted)).toBe(true)
    await enableFlag(b)
    expect(isOn(b.flags)).toBe(true)
    expect(isOn(a.flags)).toBe(false)
    way.restore()
    await waitFor('both are written', () => a.flags.status('vehicles').persisted)
    expect(isOn(a.flags)).toBe(false)
    await waitFor('b serves off', () => !isOn(b.flags), { seconds: 8 })
    const kinds = await sql`select kind, parameters->'enabled' as enabled from sti.operation order by id`
    expect(kinds.map(({ kind, enabled }) => `${kind} ${enabled}`)).toEqual([
      'flag true',
      'flag true',
      'flag false',
      'rollback null',
    ])
    const [last] = await sql`select after from sti.operation_event order by id desc limit 1`
    expect(Date.parse(String(last!.after.servedSince))).toBeLessThan(Date.now())

    await enableFlag(b)
    await waitFor('a serves on', () => isOn(a.flags), { seconds: 8 })
    const repeated = a.flags.turnOff(vehiclesRollout, ann, null, offs[0]!)
    await expect(repeated).rejects.toMatchObject({ code: 'superseded' })
    await waitFor('the repeated request changed nothing', () => isOn(a.flags), { seconds: 8 })
    expect((await sql`select count(*)::int as n from sti.operation`)[0]).toEqual({ n: 5 })
    await Promise.all([a.close(), b.close()])
    await way.close()
  })
})

test('an off whose idempotency key belongs to another request still turns the flag off', async () => {
  await withDatabase(async ({ url, sql }) => {
    const agent = await startFlagTestAgent(url, 'a')
    await enableFlag(agent)
    const [{ idempotency_key: used }] = (await sql`select idempotency_key from sti.operation`) as unknown as [
      { idempotency_key: string },
    ]
    await agent.flags.turnOff(vehiclesRollout, ann, null, { ...turnOffRequest(), idempotencyKey: used })
    await waitFor('written', async () => !(await sql`select enabled from sti.flag`)[0]!.enabled)
    expect(isOn(agent.flags)).toBe(false)
    await agent.close()
  })
})

test('a read that started before the off was written and ended after it does not turn the flag on again', async () => {
  await withDatabase(async ({ url }) => {
    const way = await createSeverableProxy(url)
    const agent = await startFlagTestAgent(way.url, 'a')
    await enableFlag(agent)
    await way.holdBack('"enabled": true')
    expect(await agent.flags.turnOff(vehiclesRollout, ann, null, turnOffRequest())).toMatchObject({ persisted: true })
    way.release()
    for (let count = 0; count < 150; count++) {
      expect(isOn(agent.flags)).toBe(false)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
    await agent.close()
    await way.close()
  })
})
