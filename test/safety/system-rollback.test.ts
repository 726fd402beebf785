import type postgres from 'postgres'
import { expect, test } from 'vitest'
import type { Operation, OperationPreview } from '../../agent/src/contract/index.ts'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { QUIET_LOG, requestRefused } from '../support/operations.ts'

interface SystemRollbackTest {
  readonly sql: postgres.Sql
  readonly agent: TestAgent
}

async function withRolledOutTable(
  use: (environment: SystemRollbackTest) => Promise<void>,
  file = VEHICLES_FILE,
): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 500)
    await withAgent(
      url,
      file,
      async (agent) => {
        for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await agent.run(kind)
        await use({ sql, agent })
      },
      QUIET_LOG,
    )
  })
}

const SYSTEM_ROLLBACK = { scope: 'system', confirm: 'vehicles' }

const post = (agent: TestAgent, parameters: Record<string, unknown>, reason?: string, query = '') =>
  agent.post<Operation & OperationPreview & { reasons: string[] }>(`/v1/rollouts/vehicles/operations${query}`, {
    kind: 'rollback',
    environment: 'staging',
    parameters,
    reason,
  })

/** The objects created by STI in the catalog, and the rows without the column. */
async function findLeftovers(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ name: string }[]>`
    select 'column' as name from pg_attribute where attrelid = 'public.vehicles'::regclass and attname = 'type' and not attisdropped
    union all select 'trigger' from pg_trigger where tgrelid = 'public.vehicles'::regclass and tgname in ('~sti_complete', '~sti_derive')
    union all select 'function' from pg_proc where proname = 'derive_vehicles'
    union all select 'index' from pg_class where relname = 'sti_vehicles_type_idx'
    union all select 'constraint' from pg_constraint where conname = 'sti_vehicles_type_check'
    union all select 'sampling' from sti.monitoring
    union all select 'journal ' || kind from sti.change where reverted_at is null`
  return rows.map(({ name }) => name).toSorted()
}

test('every journaled change is reverted in reverse order, and the table is as before expand', async () => {
  await withRolledOutTable(async ({ sql, agent }) => {
    await agent.run('monitoring')
    const preview = await post(agent, SYSTEM_ROLLBACK, undefined, '?dryRun=true')
    expect(preview.body.allowed).toBe(true)
    expect(preview.body.statements.slice(0, 5).map((statement) => statement.replace(/\s+/g, ' ').slice(0, 32))).toEqual(
      [
        // The function of the dual-write trigger as expand created it, with its counters.
        'create sequence if not exists st',
        expect.stringMatching(/^alter table "public"."vehicles"/),
        'drop index if exists "public"."s',
        'drop trigger if exists "~sti_com',
        'drop trigger if exists "~sti_der',
      ],
    )
    expect(preview.body.estimateBasis).toMatch(/^Validation 3 \(500 rows read in /)
    const { result } = await agent.run('rollback', SYSTEM_ROLLBACK)
    expect(result).toMatchObject({
      left: [],
      origin: { structure: 'as before expand', differences: [], content: 'equal' },
      monitoring: { left: [] },
    })
    expect(result?.['reverted']).toHaveLength(7)
    expect(await findLeftovers(sql)).toEqual([])
    expect(await agent.rollout()).toMatchObject({ stage: 'rolled-back' })
    expect(await requestRefused(agent, 'rollback', SYSTEM_ROLLBACK)).toMatch(/nothing to roll back/)
  })
})

test('a change by someone else is reported and kept with everything it depends on, unless forced', async () => {
  await withRolledOutTable(async ({ sql, agent }) => {
    await sql.unsafe(`alter table public.vehicles drop constraint sti_vehicles_type_check;
      alter table public.vehicles add constraint sti_vehicles_type_check check (type <> 'Boat');
      drop index public.sti_vehicles_type_idx; create index theirs on public.vehicles (type, name)`)
    const preview = await post(agent, SYSTEM_ROLLBACK, undefined, '?dryRun=true')
    expect(preview.body.notes.filter((note) => /unless forced/.test(note))).toEqual([
      expect.stringMatching(/sti_vehicles_type_check.*it was changed by others and is now: CHECK \(\(type <> 'Boat'/),
      expect.stringMatching(/"type": "sti_vehicles_type_check" on .*, index public\.theirs depend on it/),
    ])
    const { result } = await agent.run('rollback', SYSTEM_ROLLBACK)
    expect(result?.['left']).toHaveLength(2)
    expect(result?.['origin']).toMatchObject({ differences: ['index public.theirs was added'] })
    expect(await findLeftovers(sql)).toEqual(['column', 'constraint', 'journal column', 'journal constraint'])

    expect((await post(agent, { ...SYSTEM_ROLLBACK, force: true })).body.reasons).toEqual([
      expect.stringMatching(/^reason: /),
    ])
    const editor = await fetch(`${agent.url}/v1/rollouts/vehicles/operations`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKENS.bob}`, 'content-type': 'application/json' },
      body: JSON.stringify({ kind: 'rollback', environment: 'staging', parameters: SYSTEM_ROLLBACK }),
    })
    expect(editor.status).toBe(403)
    const forced = await post(agent, { ...SYSTEM_ROLLBACK, force: true }, 'agreed with its owner')
    expect((await agent.waitForEnd(forced.body.id)).result).toMatchObject({
      left: [],
      origin: { structure: 'as before expand' },
    })
    expect(await findLeftovers(sql)).toEqual([])
  })
})

test('a trigger that someone changed keeps deriving types, and an object that is already removed is not an error', async () => {
  await withRolledOutTable(async ({ sql, agent }) => {
    await sql.unsafe(`alter table public.vehicles enable replica trigger "~sti_derive";
      alter table public.vehicles drop constraint sti_vehicles_type_check`)
    const { result } = await agent.run('rollback', SYSTEM_ROLLBACK)
    expect(result?.['left']).toEqual([
      expect.stringMatching(/^~sti_derive on "public"."vehicles": it was changed by others/),
      expect.stringMatching(/^sti."derive_vehicles": ~sti_derive on .* depends? on it/),
      expect.stringMatching(/"type": ~sti_derive on .* depends? on it/),
    ])
    expect(await findLeftovers(sql)).toEqual([
      'column',
      'function',
      'journal column',
      'journal function',
      'journal trigger',
      'trigger',
    ])
    // The application's writes succeed.
    await sql`insert into public.vehicles (name, is_truck, is_bike) values ('x', true, false)`
  })
})

test('a system rollback first turns the flag off and archives values that legacy columns cannot express', async () => {
  await withRolledOutTable(async ({ sql, agent }) => {
    await agent.run('flag', { enabled: true })
    await sql.unsafe(`alter table public.vehicles disable trigger "~sti_derive"; update public.vehicles set type = 'Bike' where id in (3, 4);
      alter table public.vehicles enable always trigger "~sti_derive"; update public.vehicles set is_truck = true where id = 9`)
    expect((await agent.run('rollback', SYSTEM_ROLLBACK)).result).toMatchObject({
      archivedValues: 2,
      origin: { structure: 'as before expand', content: 'written since' },
    })
    expect((await agent.rollout()).flag.enabled).toBe(false)
    expect(await sql`select is_truck from public.vehicles where id = 9`).toEqual([{ is_truck: true }])
  })
})

test('rollbacks of data and system are refused after legacy columns are dropped', async () => {
  await withRolledOutTable(async ({ sql, agent }) => {
    await sql.unsafe(`drop trigger "~sti_derive" on public.vehicles; drop trigger "~sti_complete" on public.vehicles;
      alter table public.vehicles drop column is_bike`)
    for (const scope of ['data', 'system'])
      expect(await requestRefused(agent, 'rollback', { scope, confirm: 'vehicles' })).toMatch(
        /The legacy columns \(is_bike\) were dropped/,
      )
  })
})
