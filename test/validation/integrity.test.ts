import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase, withDedicatedServer } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { findCheck, failedChecks, validate } from './validations.ts'

type PostgresSql = import('postgres').Sql

/** A covered table with a foreign key in each direction. */
async function withCoveredTable(
  use: (environment: { agent: TestAgent; sql: PostgresSql; url: string }) => Promise<void>,
): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 5_000)
    await sql.unsafe(
      `create extension amcheck; create extension pg_surgery;
      create table public.owner (id bigint primary key);
      insert into public.owner select generate_series(1, 100);
      alter table public.vehicles add column owner_id bigint references public.owner;
      update public.vehicles set owner_id = 1 + id % 100;
      create table public.trip (id bigint generated always as identity primary key, vehicle_id bigint not null references public.vehicles);
      insert into public.trip (vehicle_id) select 1 + n % 1000 from generate_series(1, 3000) n;
      select pg_stat_force_next_flush()`,
    )
    await sql`vacuum analyze`
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      await agent.run('backfill')
      await use({ agent, sql, url })
    })
  })
}

const onlyChecks = (...checks: string[]): Record<string, unknown> => ({ checks })

test('a healthy table passes every check of the layer, also if it is written between two validations', async () => {
  await withCoveredTable(async ({ agent, sql }) => {
    const first = await validate(agent)
    expect(failedChecks(first)).toEqual([])
    expect(first).toMatchObject({ verdict: 'pass', coverage: 1, integrityScore: 1, totalRows: 5_000 })
    expect(first.layers.find((layer) => layer.layer === 'integrity')).toEqual({
      layer: 'integrity',
      verdict: 'pass',
      required: true,
      complete: true,
      detail: '',
    })
    expect(findCheck(first, 'key-index').detail).toBe('amcheck found every row in public.vehicles_pkey')
    // Without writes, key and legacy columns keep their checksum.
    const second = await validate(agent)
    expect(failedChecks(second)).toEqual([])
    expect(findCheck(second, 'legacy-checksum').verdict).toBe('pass')
    await sql.unsafe(`delete from public.vehicles where id between 2001 and 2500;
      insert into public.vehicles (name, is_truck, is_bike) select 'new', true, false from generate_series(1, 50);
      do $$ begin
        insert into public.vehicles (name, is_truck, is_bike) values ('rolled back', true, false);
        raise exception 'no';
      exception when others then null; end $$`)
    const third = await validate(agent)
    expect(failedChecks(third)).toEqual([])
    expect(third.totalRows).toBe(4_550)
    expect(third.checks.map((check) => check.check)).not.toContain('legacy-checksum')
  })
})

test('rows that disappeared without a DELETE are found', async () => {
  await withCoveredTable(async ({ agent, sql }) => {
    await validate(agent)
    const gone = (await sql<{ ctid: string }[]>`select ctid::text from public.vehicles where id = 4001`)[0]!.ctid
    await sql.unsafe(`select heap_force_kill('public.vehicles'::regclass, array['${gone}']::tid[])`)
    const lost = await validate(agent, onlyChecks('nothing-lost'))
    expect(findCheck(lost, 'nothing-lost')).toMatchObject({
      verdict: 'fail',
      value: 4_999,
      limit: 5_000,
      discrepancies: 1,
    })
    expect(lost.verdict).toBe('fail')
    // The loss was reported: the next count is compared with this one. TRUNCATE does not count as DELETE.
    expect(findCheck(await validate(agent, onlyChecks('nothing-lost')), 'nothing-lost').verdict).toBe('pass')
    await sql.unsafe('truncate public.vehicles cascade')
    expect(findCheck(await validate(agent, onlyChecks('nothing-lost')), 'nothing-lost')).toMatchObject({
      verdict: 'fail',
      value: 0,
      discrepancies: 4_999,
      detail: expect.stringContaining('4,999 rows disappeared without a DELETE'),
    })
    await sql`select pg_stat_reset()`
    expect(findCheck(await validate(agent, onlyChecks('nothing-lost')), 'nothing-lost')).toMatchObject({
      verdict: 'inconclusive',
      detail: expect.stringContaining('the statistics of PostgreSQL were reset'),
    })
  })
})

test('a duplicate key and a row that is missing from the key index are found', async () => {
  await withCoveredTable(async ({ agent, sql }) => {
    await sql.unsafe(`drop table public.trip; alter table public.vehicles alter id drop identity;
      update pg_index set indisunique = false where indexrelid = 'public.vehicles_pkey'::regclass;
      insert into public.vehicles (id, name, is_truck, is_bike) values (17, 'again', true, false);
      update pg_index set indisunique = true where indexrelid = 'public.vehicles_pkey'::regclass`)
    const twice = await validate(agent, onlyChecks('key-unique', 'key-index'))
    expect(findCheck(twice, 'key-unique')).toMatchObject({ verdict: 'fail', discrepancies: 1, sampleKeys: [['17']] })
    // A row that is written while the index is marked as not ready gets no entry in it.
    await sql.unsafe(`delete from public.vehicles where name = 'again';
      update pg_index set indisready = false where indexrelid = 'public.vehicles_pkey'::regclass;
      insert into public.vehicles (id, name, is_truck, is_bike) values (90000, 'hidden', true, false);
      update pg_index set indisready = true where indexrelid = 'public.vehicles_pkey'::regclass`)
    const hidden = await validate(agent, onlyChecks('key-unique', 'key-index'))
    expect(findCheck(hidden, 'key-unique').verdict).toBe('pass')
    expect(findCheck(hidden, 'key-index')).toMatchObject({
      verdict: 'fail',
      detail: expect.stringContaining('REINDEX'),
    })
  })
})

test('constraints are checked against the rows', async () => {
  await withCoveredTable(async ({ agent, sql }) => {
    expect(failedChecks(await validate(agent))).toEqual([])
    await agent.run('finalize')
    const check = async (name: string) => findCheck(await validate(agent, onlyChecks(name)), name)
    await sql.unsafe(`select set_config('session_replication_role', 'replica', true);
      update public.vehicles set owner_id = 777 where id = 3000; delete from public.vehicles where id = 5`)
    expect(await check('foreign-keys')).toMatchObject({
      verdict: 'fail',
      discrepancies: 4,
      sampleKeys: expect.arrayContaining([['777'], ['5']]),
      detail: expect.stringMatching(
        /3 rows of trip_vehicle_id_fkey on public\.trip .*; 1 row of vehicles_owner_id_fkey on public\.vehicles references a missing row of public\.owner/,
      ),
    })
    await sql.unsafe(
      `delete from public.trip where vehicle_id = 5; update public.vehicles set owner_id = 1 where id = 3000`,
    )
    expect((await check('foreign-keys')).verdict).toBe('pass')
    expect((await check('constraints-valid')).verdict).toBe('pass')
    await sql.unsafe('alter table public.trip disable trigger all')
    expect((await check('constraints-valid')).detail).toContain('trip_vehicle_id_fkey is not enforced')
    await sql.unsafe(`alter table public.trip enable trigger all;
      alter table public.vehicles add constraint some_axles check (axles > 2) not valid`)
    expect(await check('constraints-valid')).toMatchObject({
      verdict: 'fail',
      detail: expect.stringContaining('rows violate some_axles'),
    })
    await sql.unsafe(`alter table public.vehicles drop constraint some_axles;
      alter table public.vehicles add constraint few_axles check (axles < 99) not valid`)
    expect(await check('constraints-valid')).toMatchObject({
      verdict: 'pass',
      detail: expect.stringContaining('few_axles'),
    })
    await sql.unsafe(`alter table public.vehicles drop constraint few_axles;
      alter table public.vehicles drop constraint sti_vehicles_type_check`)
    expect((await check('constraints-valid')).detail).toContain('sti_vehicles_type_check was removed after finalize')
  })
})

test('a row that is wrong only briefly is not a discrepancy, but one that stays wrong is', async () => {
  await withCoveredTable(async ({ agent, sql }) => {
    await sql.unsafe('alter table public.vehicles disable trigger "~sti_derive"')
    // Like an application that writes both columns itself in two transactions.
    let writing = true
    const writer = (async () => {
      for (let n = 0; writing; n++) {
        const id = 1 + (n % 20)
        const truck = Math.random() < 0.5
        await sql`update public.vehicles set is_truck = ${truck}, is_bike = false where id = ${id}`
        await sleep(60)
        await sql`update public.vehicles set type = ${truck ? 'Truck' : 'Car'} where id = ${id}`
      }
    })()
    try {
      for (let round = 0; round < 6; round++) {
        expect(failedChecks(await validate(agent, onlyChecks('coverage', 'type-matches-legacy')))).toEqual([])
      }
      await sql`update public.vehicles set type = 'Bike' where id = 4999`
      const found = await validate(agent, onlyChecks('coverage', 'type-matches-legacy'))
      expect(findCheck(found, 'type-matches-legacy')).toMatchObject({ discrepancies: 1, sampleKeys: [['4999']] })
      expect(found.coverage).toBe(0.9998)
    } finally {
      writing = false
      await writer
    }
  })
})

test('legacy columns that change without a write are found', async () => {
  // Open transactions in any database of the server make every row look recent.
  await withDedicatedServer(async ({ url, sql }) => {
    await createVehicles(sql, 2_000)
    await sql.unsafe(`create type public.build as enum ('light', 'heavy', 'odd');
      alter table public.vehicles add column build public.build not null default 'light';
      update public.vehicles set build = 'odd' where id % 7 = 0`)
    const file = VEHICLES_FILE.replace('when: is_truck', "when: is_truck or build = 'heavy'").replace(
      'legacyColumns: [is_truck, is_bike]',
      'legacyColumns: [is_truck, is_bike, build]',
    )
    await withAgent(
      url,
      file
        .replaceAll('is_bike: "false" }', `is_bike: "false", build: "'light'" }`)
        .replace('is_bike: "true" }', `is_bike: "true", build: "'light'" }`),
      async (agent) => {
        await agent.run('expand')
        await agent.run('backfill')
        await validate(agent)
        expect(findCheck(await validate(agent), 'legacy-checksum').verdict).toBe('pass')
        await sql`update public.vehicles set build = 'light' where id = 7`
        expect((await validate(agent)).checks.map((check) => check.check)).not.toContain('legacy-checksum')
        await sql`alter type public.build rename value 'odd' to 'even'`
        expect(findCheck(await validate(agent), 'legacy-checksum')).toMatchObject({
          verdict: 'fail',
          detail: expect.stringContaining('no row was written since'),
        })
      },
    )
  })
})
