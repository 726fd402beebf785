import type postgres from 'postgres'
import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { QUIET_LOG, requestRefused } from '../support/operations.ts'
import { withSession } from '../support/faultInjection.ts'

/** Expands a table of ten rows and tries what an application would do. */
async function withExpandedTable(
  file: string,
  use: (sql: postgres.Sql, url: string) => Promise<void>,
  before = 'select 1',
): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await sql.unsafe(before)
    await withAgent(url, file, (agent) => agent.run('expand'), QUIET_LOG)
    await use(sql, url)
  })
}

const INSERT = 'insert into public.vehicles (name, is_truck, is_bike, axles)'
const UNMAPPED = VEHICLES_FILE.replace(/otherwise:.*\n/, '')

test('changes of legacy columns by another BEFORE trigger are included', async () => {
  const crown = `
    create function public.crown() returns trigger language plpgsql as $$ begin new.is_truck := new.axles > 5; return new; end $$;
    create trigger zz_crown before insert or update on public.vehicles for each row execute function public.crown()`
  await withExpandedTable(
    VEHICLES_FILE,
    async (sql) => {
      expect(await sql.unsafe(`${INSERT} values ('x', false, false, 8) returning type`)).toEqual([{ type: 'Truck' }])
      expect(await sql.unsafe(`update public.vehicles set axles = 9 where id = 1 returning type`)).toEqual([
        { type: 'Truck' },
      ])
      expect(await sql.unsafe(`update public.vehicles set axles = 2 where id = 1 returning type`)).toEqual([
        { type: 'Car' },
      ])
    },
    crown,
  )
})

test('a session in the replica role, such as a logical subscription, writes the correct type', async () => {
  await withExpandedTable(VEHICLES_FILE, async (_, url) => {
    await withSession(url, async (session) => {
      await session`set session_replication_role = replica`
      expect(await session.unsafe(`${INSERT} values ('x', true, false, 2) returning type`)).toEqual([{ type: 'Truck' }])
    })
  })
})

test('legacy columns override a type that the application writes', async () => {
  await withExpandedTable(VEHICLES_FILE, async (sql) => {
    const rows = await sql`update public.vehicles set type = 'Bike' where id = 2 returning is_truck, type`
    expect(rows).toEqual([{ is_truck: true, type: 'Truck' }])
  })
})

test('expand refuses a trigger that fires after the dual-write trigger, and a validation finds one that is added later', async () => {
  const later = `
    create or replace function public.later() returns trigger language plpgsql as $$ begin new.is_truck := true; return new; end $$;
    create trigger "~~later" before update on public.vehicles for each row execute function public.later()`
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await sql.unsafe(later)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      expect(await requestRefused(agent, 'expand')).toMatch(
        /Trigger ~~later fires after the dual-write trigger .* Rename it/,
      )
      await sql.unsafe('drop trigger "~~later" on public.vehicles')
      await agent.run('expand')
      await agent.run('backfill')
      expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass' })
      await sql.unsafe(later)
      const integrity = { layers: ['integrity'] }
      expect((await agent.run('validation', integrity)).result).toMatchObject({ verdict: 'fail', coverage: 1 })
      const failed = (await agent.rollout()).validation!.checks.filter((check) => check.verdict === 'fail')
      expect(failed.map((check) => check.detail)).toEqual([
        'Trigger ~~later fires after the dual-write trigger and could change a row after its type is derived. Rename it.',
      ])
    })
  })
})

test.each([
  ['dropped', 'drop trigger "~sti_derive" on public.vehicles', /does not exist on the table/],
  ['disabled', 'alter table public.vehicles disable trigger "~sti_derive"', /is disabled/],
  ['no longer ENABLE ALWAYS', 'alter table public.vehicles enable trigger "~sti_derive"', /not ENABLE ALWAYS/],
  ['given another search_path', 'alter function sti.derive_vehicles() reset search_path', /changed outside STI/],
])('a trigger that was %s is detected, and expand repairs it', async (_, statement, sentence) => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      await agent.run('backfill')
      await sql.unsafe(statement)
      expect(await requestRefused(agent, 'backfill')).toMatch(sentence)
      expect((await agent.run('validation')).result).toMatchObject({ verdict: 'fail' })
      await agent.run('expand')
      expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass' })
    })
  })
})

test('a disabled trigger on a partition is detected', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(`
      create table public.vehicles (id int primary key, is_truck boolean not null, is_bike boolean not null) partition by range (id);
      create table public.small partition of public.vehicles for values from (0) to (100);
      create table public.large partition of public.vehicles for values from (100) to (200);
      insert into public.vehicles select n, n % 2 = 0, false from generate_series(1, 199) n; analyze`)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      await sql`alter table public.large disable trigger "~sti_derive"`
      expect(await requestRefused(agent, 'backfill')).toMatch(/does not fire on partition public\.large/)
      await agent.run('expand')
      expect(await sql`insert into public.vehicles values (0, true, false) returning type`).toEqual([{ type: 'Truck' }])
      await agent.run('backfill')
    })
  })
})

test('a row that no type matches gets NULL, and the write succeeds', async () => {
  await withExpandedTable(UNMAPPED, async (sql) => {
    expect(await sql.unsafe(`${INSERT} values ('x', false, false, 2) returning type`)).toEqual([{ type: null }])
    expect(await sql`update public.vehicles set is_truck = false where id = 2 returning type`).toEqual([{ type: null }])
  })
})

test('an expression that raises an error never fails a write of the application', async () => {
  const raising = VEHICLES_FILE.replace('when: is_truck', 'when: "12 / axles > 4"').replace(
    'legacyColumns: [is_truck, is_bike]',
    'legacyColumns: [is_truck, is_bike, axles]',
  )
  const file = `${raising}restore: none\n`.replaceAll(/, restore: \{[^}]*\}/g, '')
  await withExpandedTable(file, async (sql) => {
    expect(await sql.unsafe(`${INSERT} values ('x', false, true, 0) returning type`)).toEqual([{ type: null }])
    expect(await sql.unsafe(`${INSERT} values ('x', false, true, 2) returning type`)).toEqual([{ type: 'Truck' }])
    expect(await sql`update public.vehicles set axles = 0 where id = 2 returning type`).toEqual([{ type: null }])
  })
})

const CLERK = `create role clerk_of_test login password 'clerk';
  grant select, insert, update on public.vehicles to clerk_of_test`

test('a role without rights on schema sti writes as before', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(url, VEHICLES_FILE, (agent) => agent.run('expand'))
    await sql.unsafe(CLERK)
    try {
      await withSession(url, async (session) => {
        await session`set role clerk_of_test`
        await expect(session`select sti.derive_vehicles()`).rejects.toThrow(/permission denied for schema sti/)
        expect(await session.unsafe(`${INSERT} values ('x', true, false, 2) returning type`)).toEqual([
          { type: 'Truck' },
        ])
      })
    } finally {
      await sql`drop owned by clerk_of_test`
      await sql`drop role clerk_of_test`
    }
  })
})

test('the search_path of the writer does not affect the trigger', async () => {
  // Not a plain comparison, so that it is in the function and not in the WHEN clause.
  const file = VEHICLES_FILE.replace('when: is_truck', 'when: "length(name) > 3 and is_truck"').replace(
    'legacyColumns: [is_truck, is_bike]',
    'legacyColumns: [is_truck, is_bike, name]',
  )
  await withExpandedTable(`${file}restore: none\n`.replaceAll(/, restore: \{[^}]*\}/g, ''), async (sql, url) => {
    await sql.unsafe(`create schema evil; create function evil.length(text) returns int language sql as 'select 0'`)
    await withSession(url, async (session) => {
      await session`set search_path = evil, pg_catalog, public`
      const [row] = await session`select length('truck') as evil`
      expect(row!.evil).toBe(0)
      expect(await session.unsafe(`${INSERT} values ('truck', true, false, 2) returning type`)).toEqual([
        { type: 'Truck' },
      ])
    })
  })
})
