import postgres from 'postgres'
import { expect, test } from 'vitest'
import type { Acceptances, ReadinessItem } from '../../agent/src/contract/index.ts'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { withSession } from '../support/faultInjection.ts'
import { QUIET_LOG, requestRefused } from '../support/operations.ts'
import { withSti } from '../support/stiCommand.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { waitFor } from '../support/waitFor.ts'
import { findCheck, validate } from '../validation/validations.ts'
import { NO_RESTORE_FILE, withConflicts } from './finalizedRollout.ts'
import { readConflictCounts } from './vehicleRows.ts'

/** Writes of one row. Rows 1 and 2 are trucks, 3 and 4 are cars, 5 is a bike. */
const WRITES = [
  `insert into public.vehicles (name, is_truck, is_bike) values ('x', true, false)`,
  `insert into public.vehicles (name, is_truck, is_bike, type) values ('x', true, false, 'Truck')`,
  `insert into public.vehicles (name, is_truck, is_bike, type) values ('x', true, false, null)`,
  `insert into public.vehicles (name, is_truck, is_bike, type) values ('x', true, false, 'Car')`,
  `insert into public.vehicles (name, is_truck, is_bike, type) values ('x', true, false, 'Bike'), ('y', true, false, 'Truck')`,
  `insert into public.vehicles (name, is_truck, is_bike, type) values ('x', true, false, 'Vehicle')`,
  `insert into public.vehicles (name, is_truck, is_bike, type) select name, is_truck, is_bike, 'Bike' from public.vehicles where id = 1`,
  `insert into public.vehicles (id, name, is_truck, is_bike, type) overriding system value values (1, 'x', true, false, 'Truck')
    on conflict (id) do update set is_truck = false, is_bike = true, type = 'Truck'`,
  `update public.vehicles set name = 'renamed' where id = 1`,
  `update public.vehicles set is_truck = true where id = 3`,
  `update public.vehicles set type = 'Bike' where id = 3`,
  `update public.vehicles set type = 'Boat' where id = 3`,
  `update public.vehicles set type = null where id = 3`,
  `update public.vehicles set is_truck = true, type = 'Truck' where id = 3`,
  `update public.vehicles set is_truck = true, type = 'Bike' where id = 3`,
  `update public.vehicles set name = 'full', is_truck = true, is_bike = false, type = 'Car' where id = 3`,
  `update public.vehicles set name = 'full', is_truck = false, is_bike = true, type = 'Truck' where id = 1`,
  `merge into public.vehicles v using (select 3 as id) s on v.id = s.id when matched then update set is_bike = true, type = 'Truck'`,
  `set local sti.engine = 'on'; update public.vehicles set is_truck = true, type = 'Bike' where id = 3`,
]

const ENUM_FILE = VEHICLES_FILE.replace('dataType: text', 'dataType: public.kind')
const KIND = `create type public.kind as enum ('Truck', 'Bike', 'Car', 'Vehicle', 'Boat')`

/** The writes that count before finalize. Each runs in a transaction that is rolled back. */
async function countedWrites(url: string, sql: postgres.Sql): Promise<string[]> {
  return await withSession(url, async (session) => {
    const counted: string[] = []
    for (const write of WRITES) {
      const before = (await readConflictCounts(sql))['corrected']!
      await session.unsafe(`begin; ${write}`)
      const wrong = await session`select from public.vehicles where type::text is distinct from
        case when is_truck then 'Truck' when is_bike then 'Bike' else 'Car' end`
      expect(wrong, write).toHaveLength(0)
      await session.unsafe('rollback')
      if ((await readConflictCounts(sql))['corrected']! > before) counted.push(write)
    }
    return counted
  })
}

/** The writes that finalize makes conflicts, or violations of its CHECK constraint. */
async function refusedWrites(url: string): Promise<string[]> {
  return await withSession(url, async (session) => {
    const refused: string[] = []
    for (const write of WRITES) {
      try {
        await session.unsafe(`begin; ${write}`)
      } catch (error) {
        const { code, constraint_name: constraint } = error as postgres.PostgresError
        expect([code, constraint]).toEqual(['23514', expect.stringMatching(/^sti_(conflict|vehicles_type_check)$/)])
        refused.push(write)
      }
      await session.unsafe('rollback')
    }
    return refused
  })
}

test.each([
  ['an enum', ENUM_FILE, KIND],
  ['restore: none', NO_RESTORE_FILE, 'select'],
  [
    'a condition that may raise',
    VEHICLES_FILE.replace('when: is_truck', 'when: is_truck and 10 / (1 + is_bike::int) > 0'),
    'select',
  ],
])('a write counts before finalize exactly if it is refused after it: %s', async (_, file, before) => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await sql.unsafe(before)
    await withAgent(
      url,
      file,
      async (agent) => {
        await agent.run('expand')
        await agent.run('backfill')
        await agent.run('validation', { layers: ['integrity'] })
        const counted = await countedWrites(url, sql)
        await accept(agent)
        await agent.run('validation', { layers: ['integrity'] })
        await agent.run('finalize')
        const refused = await refusedWrites(url)
        expect(counted).toEqual(refused)
        expect(refused.length).toBeGreaterThan(3)
      },
      QUIET_LOG,
    )
  })
})

/** Accepts every conflict as an admin. */
async function accept(agent: TestAgent): Promise<void> {
  const { acceptable } = await agent.get<Acceptances>('/v1/rollouts/vehicles/acceptances')
  const subjects = acceptable.filter(({ check }) => check === 'dual-write-conflicts').map(({ subject }) => subject)
  const body = { environment: 'staging', check: 'dual-write-conflicts', subjects, reason: 'known' }
  expect(await agent.post('/v1/rollouts/vehicles/acceptances', body)).toMatchObject({ status: 200 })
}

const SECRET_WRITE = `insert into public.vehicles (name, is_truck, is_bike, type) values ('a secret name', true, false, 'Car')`
const SUBJECT = 'insert into public.vehicles (name, is_truck, is_bike, type) values ($1, $2, $3, $4)'

test('conflicts before finalize are shown everywhere, and refuse it until the soak time is over or each statement is accepted', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(
      url,
      `${VEHICLES_FILE}soak: 4s\n`,
      async (agent) => {
        const preview = () => agent.preview('finalize')
        await agent.run('expand')
        await agent.run('backfill')
        await agent.run('validation', { layers: ['integrity'] })
        expect(await preview()).toMatchObject({
          allowed: true,
          notes: expect.arrayContaining([
            'No write of the last soak time would be a conflict after finalize.',
          ]) as unknown,
        })
        // Statements that are rolled back count, too; the stored statement is the one that committed.
        await sql.unsafe(SECRET_WRITE)
        await withSession(url, async (session) => {
          await session.unsafe(
            `begin; update public.vehicles set is_truck = true, type = 'Bike' where id = 3; rollback`,
          )
        })
        const refused = await requestRefused(agent, 'finalize')
        expect(refused).toContain('2 writes since expand set a type that contradicts the legacy columns')
        expect(refused).toContain(`Written by: ${SUBJECT}.`)
        expect(refused).toContain('sti accept-check dual-write-conflicts --all --reason TEXT')
        expect(refused).not.toContain('secret')
        expect((await preview()).notes).toContain(`A conflict after finalize: ${SUBJECT}`)
        expect((await agent.rollout()).notes.join()).toContain('2 writes since expand')
        const { items } = await agent.get<{ items: ReadinessItem[] }>('/v1/rollouts/vehicles/readiness')
        expect(items.find(({ item }) => item === 'dual-write')).toMatchObject({ state: 'not-ready' })
        await expect
          .poll(async () => await (await fetch(`${agent.url}/metrics`)).text(), { timeout: 10_000 })
          .toMatch(/^sti_conflicts_total\{.*resolution="corrected"\} 2$/m)
        const failed = await validate(agent, { layers: ['integrity'] })
        expect(findCheck(failed, 'dual-write-conflicts')).toMatchObject({
          verdict: 'fail',
          value: 2,
          detail: expect.stringContaining('2 corrected before finalize') as string,
        })
        await waitFor(
          'the soak time passes',
          async () => !(await preview()).reasons.join().includes('writes since expand'),
        )
        // The check fails once.
        expect((await agent.run('validation', { layers: ['integrity'] })).result).toMatchObject({ verdict: 'pass' })
        expect(await preview()).toMatchObject({ allowed: true })

        await sql.unsafe(SECRET_WRITE)
        expect(await preview()).toMatchObject({ allowed: false })
        await withSti(async (sti) => {
          const done = await sti(agent.url, 'accept-check', 'dual-write-conflicts', '--all', '--reason', 'a test')
          expect(done).toMatchObject({ code: 0 })
        })
        // An acceptance also counts once the soak time is over.
        await waitFor(
          'the soak time passes',
          async () => !(await agent.rollout()).notes.join().includes('writes since expand'),
        )
        const accepted = await validate(agent, { layers: ['integrity'] })
        expect(accepted.checks.filter(({ verdict }) => verdict !== 'pass')).toEqual([])
        await agent.run('finalize')
        expect((await agent.rollout()).notes.join()).not.toContain('since expand')
      },
      QUIET_LOG,
    )
  })
})

test('with conflicts: legacy, finalize changes nothing for such writes and is not refused', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(
      url,
      withConflicts('legacy'),
      async (agent) => {
        await agent.run('expand')
        await agent.run('backfill')
        await sql.unsafe(SECRET_WRITE)
        await agent.run('validation', { layers: ['integrity'] })
        expect((await agent.run('validation', { layers: ['integrity'] })).result).toMatchObject({ verdict: 'pass' })
        expect((await agent.rollout()).notes.join()).toContain('the type still follows the legacy columns')
        await agent.run('finalize')
      },
      QUIET_LOG,
    )
  })
})

test('a burst of conflicts waits for no other writer, stores one statement a minute, and fails no write', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(
      url,
      VEHICLES_FILE,
      async (agent) => {
        await agent.run('expand')
        // One writer keeps its transaction open while another one writes.
        await withSession(url, async (first) => {
          await first.unsafe(`begin; ${SECRET_WRITE}`)
          await withSession(url, async (second) => {
            await second.unsafe(`set statement_timeout = '20s'; insert into public.vehicles (name, is_truck, is_bike, type)
              select 'x', true, false, 'Car' from generate_series(1, 5000)`)
          })
          await first.unsafe('rollback')
        })
        expect((await readConflictCounts(sql))['corrected']).toBe(5_001)
        const [stored] = await sql<{ n: number }[]>`select count(*)::int as n from sti.conflict`
        expect(stored!.n).toBeLessThan(3)
        // Whatever breaks in the counting, the write works.
        await sql.unsafe('drop function sti.record_correction')
        await sql.unsafe(SECRET_WRITE)
        expect(await sql`select type from public.vehicles order by id desc limit 1`).toEqual([{ type: 'Truck' }])
      },
      QUIET_LOG,
    )
  })
})
