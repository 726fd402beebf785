import { expect, test } from 'vitest'
import { QUIET_LOG, requestRefused } from '../support/operations.ts'
import { withSession } from '../support/faultInjection.ts'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { withFinalizedRollout, NO_RESTORE_FILE, withConflicts } from './finalizedRollout.ts'
import { BIKE, CAR, readRow, tryStatements, TRUCK } from './vehicleRows.ts'

const typed = `update public.vehicles set type = 'Truck' where id = 3`
const sentenceOf = async (agent: { rollout(): Promise<{ faults: string[] }> }): Promise<string> =>
  (await agent.rollout()).faults.join(' ')

test('before finalize a write of the type has no effect, even if coverage is verified', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      for (const kind of ['expand', 'backfill', 'validation'] as const) {
        await agent.run(kind)
        if (kind !== 'expand') expect(await tryStatements(url, typed, 'id = 3')).toEqual(CAR)
      }
      expect(await requestRefused(agent, 'flag', { enabled: true })).toMatch(
        /missing: .*reverse sync of the dual-write trigger/,
      )
      await agent.run('finalize')
      expect(await tryStatements(url, typed, 'id = 3')).toEqual(TRUCK)
    })
  })
})

test('a forced flag does not allow finalize without a validation', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(
      url,
      VEHICLES_FILE,
      async (agent) => {
        await agent.run('expand')
        await agent.run('flag', { enabled: true, force: true })
        expect(await requestRefused(agent, 'finalize')).toMatch(
          /Coverage is not verified\. No validation has ended\. Run a validation that passes first/,
        )
        expect(await tryStatements(url, typed, 'id = 3')).not.toEqual(TRUCK)
        await agent.run('validation', { checks: ['dual-write-trigger'] })
        expect((await agent.rollout()).validation!.checks[0]).toMatchObject({
          check: 'dual-write-trigger',
          verdict: 'fail',
          detail: 'The flag is on without reverse sync of the dual-write trigger: turn it off, then finalize.',
        })
      },
      QUIET_LOG,
    )
  })
})

test('a trigger that is dropped while the flag is on is restored for both directions', async () => {
  await withFinalizedRollout(async ({ url, sql, agent }) => {
    await agent.run('flag', { enabled: true })
    await sql`drop trigger "~sti_derive" on public.vehicles`
    await agent.run('expand')
    expect(await tryStatements(url, typed, 'id = 3')).toEqual(TRUCK)
    expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass' })
    await agent.run('finalize')
    await agent.run('rollback', { scope: 'data', full: true, confirm: 'vehicles' })
    const left =
      await sql`select proname from pg_proc where pronamespace = 'sti'::regnamespace and proname like 'derive%'
      union all select object from sti.change where reverted_at is null`
    expect(left).toEqual([])
  })
})

test('a changed trigger function is detected and restored for both directions', async () => {
  await withFinalizedRollout(async ({ url, sql, agent }) => {
    const [{ text }] = await sql<[{ text: string }]>`select pg_get_functiondef('sti.derive_vehicles'::regproc) as text`
    await sql.unsafe(text.replace(`new."is_truck" := true`, `new."is_truck" := false`))
    expect(await requestRefused(agent, 'backfill')).toMatch(
      /The function of the dual-write trigger was changed outside STI/,
    )
    await agent.run('expand')
    expect(await tryStatements(url, typed, 'id = 3')).toEqual(TRUCK)
  })
})

test('a changed file derives in one direction until finalize, and is refused while the flag is on', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    const run = (file: string, use: Parameters<typeof withAgent<void>>[2]): Promise<void> =>
      withAgent(url, file, use, QUIET_LOG)
    await run(VEHICLES_FILE, async (agent) => {
      for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await agent.run(kind)
      await agent.run('flag', { enabled: true })
    })
    await run(withConflicts('legacy'), async (agent) => {
      expect(await requestRefused(agent, 'expand')).toMatch(
        /would undo the types that new code writes\. Turn the flag off/,
      )
      await agent.run('rollback', { scope: 'flag' })
      await agent.run('expand')
      expect(await tryStatements(url, typed, 'id = 3')).toEqual(CAR)
      for (const kind of ['backfill', 'validation', 'finalize'] as const) await agent.run(kind)
      expect(await tryStatements(url, typed, 'id = 3')).toEqual(TRUCK)
      expect(
        await tryStatements(url, `update public.vehicles set type = 'Bike', is_truck = true where id = 3`, 'id = 3'),
      ).toEqual(TRUCK)
    })
  })
})

test('a changed default of a legacy column requires another finalize, since it determines how an INSERT is interpreted', async () => {
  const insert = `insert into public.vehicles (name, is_truck, type) values ('new', false, 'Bike')`
  await withFinalizedRollout(
    async ({ url, sql, agent }) => {
      await sql`alter table public.vehicles alter is_bike set default true`
      expect((await agent.rollout()).stage).toBe('verified')
      expect(await requestRefused(agent, 'flag', { enabled: true })).toMatch(/a column default has changed/)
      await agent.run('finalize')
      expect((await agent.rollout()).stage).toBe('finalized')
      expect(await tryStatements(url, insert.replace('Bike', 'Car'), `name = 'new'`)).toEqual(CAR)
      expect(await sentenceOf(agent)).toBe('')
      // A default of the type makes old code write a type without setting it.
      await sql`alter table public.vehicles alter type set default 'Car', alter is_bike set default false`
      await agent.run('finalize')
      const old = `insert into public.vehicles (name, is_truck) values ('new', true)`
      expect(await tryStatements(url, old, `name = 'new'`)).toEqual(TRUCK)
      expect(
        await tryStatements(url, `insert into public.vehicles (name, type) values ('new', 'Bike')`, `name = 'new'`),
      ).toEqual(BIKE)
    },
    { before: 'alter table public.vehicles alter is_truck set default false, alter is_bike set default false' },
  )
})

test('with restore: none the data rollback keeps values that legacy columns cannot express', async () => {
  await withFinalizedRollout(
    async ({ sql, agent }) => {
      await agent.run('flag', { enabled: true })
      await sql`update public.vehicles set type = 'Bike' where id = 3`
      await agent.run('rollback', { scope: 'flag' })
      const rollback = await agent.run('rollback', { scope: 'data', full: true, confirm: 'vehicles' })
      expect(rollback.result).toMatchObject({ archivedValues: 1 })
      expect(await sql`select key, stored_type as type, legacy_type as expected from sti.archived_type`).toEqual([
        { key: ['3'], type: 'Bike', expected: 'Car' },
      ])
    },
    { file: NO_RESTORE_FILE },
  )
})

test('a role without privileges on schema sti writes in both directions, its conflicts are recorded, and it cannot call functions of STI', async () => {
  await withFinalizedRollout(
    async ({ url, sql }) => {
      await sql.unsafe(
        `create role clerk_of_restore; grant select, insert, update on public.vehicles to clerk_of_restore`,
      )
      try {
        await withSession(url, async (session) => {
          await session`set role clerk_of_restore`
          await session`update public.vehicles set type = 'Truck' where id = 3`
          await session`update public.vehicles set is_bike = true where id = 4`
          await session`update public.vehicles set type = 'Bike', is_truck = true where id = 6`
          const call = `sti.record_conflict('pg_class'::regclass, 'x', 'type', '[]', null, null)`
          await expect(session.unsafe(`select ${call}`)).rejects.toThrow(/permission denied for schema sti/)
          await session`reset role`
          await session`grant usage on schema sti to clerk_of_restore`
          await session`set role clerk_of_restore`
          await expect(session.unsafe(`select ${call}`)).rejects.toThrow(
            /permission denied for function record_conflict/,
          )
        })
        expect(await readRow(sql, 'id = 3')).toEqual(TRUCK)
        expect(await readRow(sql, 'id = 4')).toEqual(BIKE)
        expect(await readRow(sql, 'id = 6')).toEqual(BIKE)
        expect(await sql`select key, writer from sti.conflict`).toEqual([{ key: ['6'], writer: 'postgres' }])
      } finally {
        await sql.unsafe('drop owned by clerk_of_restore; drop role clerk_of_restore')
      }
    },
    { file: withConflicts('type') },
  )
})
