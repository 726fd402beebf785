import { expect, test } from 'vitest'
import type { ColumnDrop } from '../../agent/src/contract/index.ts'
import { withAgent } from '../support/agent.ts'
import { withDatabase, withDedicatedServer } from '../support/database.ts'
import { runMigration } from '../column-drop/runMigration.ts'
import { PREPARATION_DEFAULTS, validateIntegrity, waitForSoak } from '../column-drop/enabledRollout.ts'
import { findCheck, validate } from '../validation/validations.ts'

/** Tables of applications that are deployed before their first row is written. */
const TABLES = [
  {
    name: 'flags and a text key',
    create: `create table public.vehicles (id text primary key, name text not null, owner uuid not null,
      is_truck boolean not null, is_bike boolean not null, size int not null check (size > 0))`,
    file: `types:
  - { name: Truck, when: is_truck, restore: { is_truck: true, is_bike: false } }
  - { name: Bike, when: is_bike, restore: { is_truck: false, is_bike: true } }
otherwise: { name: Car, restore: { is_truck: false, is_bike: false } }
legacyColumns: [is_truck, is_bike]
`,
    insert: `insert into public.vehicles (id, name, owner, size, is_truck, is_bike) values ('a', 'x', gen_random_uuid(), 1, true, false)`,
  },
  {
    name: 'partitions, an enum, and restore from the row',
    create: `create type public.kind as enum ('truck', 'bike', 'car'); create domain public.positive as int check (value > 0);
      create table public.vehicles (id int, day date not null, kind public.kind not null, size public.positive, primary key (id, day)) partition by range (day);
      create table public.vehicles_2026 partition of public.vehicles for values from ('2026-01-01') to ('2027-01-01')`,
    file: `types:
  - { name: Truck, when: "kind = 'truck'", restore: { kind: "'truck'", size: keep } }
  - { name: Bike, when: "kind = 'bike'", restore: { kind: { sql: "'bike'::public.kind" }, size: keep } }
otherwise: { name: Car, restore: { kind: "'car'", size: keep } }
legacyColumns: [kind, size]
`,
    insert: `insert into public.vehicles (id, day, kind, size) values (1, '2026-05-05', 'truck', 1)`,
  },
]

const SETTINGS = `rollout: vehicles
table: public.vehicles
flag: { key: vehicles-sti }
validation: { requires: [integrity] }
soak: 2s
`

const CANARY = 'dual-write-canary'

/** From expand to the undo of the column drop, and then the first row. */
async function goTheWholeWay({ create, file, insert }: (typeof TABLES)[number], server: string): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(`create extension if not exists pg_stat_statements; ${create}`)
    await withAgent(url, `${SETTINGS}${file}`, async (agent) => {
      await agent.run('expand')
      await agent.run('backfill')
      await validateIntegrity(agent)
      await agent.run('finalize')
      const canary = findCheck(await validate(agent, { layers: ['integrity'] }), CANARY)
      expect(canary).toMatchObject({ verdict: 'pass' })
      expect(canary.detail).toMatch(/^on a copy, since the table is empty: /)
      await agent.run('flag', { enabled: true, percentage: 100 })
      await validateIntegrity(agent)
      await agent.run('rehearsal')
      await waitForSoak(agent)
      await agent.run('column-drop', { ...PREPARATION_DEFAULTS, validateData: true })
      const { last: prepared } = await agent.get<ColumnDrop>('/v1/rollouts/vehicles/column-drop')
      expect(prepared, prepared!.reasons.join(' ')).toMatchObject({ prepared: true })
      await runMigration(url, prepared!.migration!.up)
      await runMigration(url, prepared!.migration!.down!)
      for (const kind of ['validation', 'finalize'] as const) await agent.run(kind)
      // The canary uses the table itself from its first row on.
      await sql.unsafe(insert)
      expect(findCheck(await validate(agent, { checks: [CANARY] }), CANARY).detail).not.toContain('on a copy')
      expect(await sql`select type::text from public.vehicles`).toEqual([{ type: 'Truck' }])
    })
  }, server)
}

test('an empty table goes the whole way', async () => {
  // The statements of other tests must not restart the watch.
  await withDedicatedServer(async ({ url }) => {
    for (const table of TABLES) await goTheWholeWay(table, url.replace(/[^/]*$/, 'postgres'))
  })
})

test('on an empty table, the canary finds a function that does not derive', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(TABLES[0]!.create)
    await withAgent(url, `${SETTINGS}${TABLES[0]!.file}`, async (agent) => {
      await agent.run('expand')
      await agent.run('backfill')
      await sql.unsafe(`create or replace function sti.derive_vehicles() returns trigger language plpgsql as
        $$ begin new.type := case when new.is_truck then 'Bike' else 'Car' end; return new; end $$`)
      expect(findCheck(await validate(agent, { checks: [CANARY] }), CANARY)).toMatchObject({ verdict: 'fail' })
    })
  })
})
