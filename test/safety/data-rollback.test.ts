import type postgres from 'postgres'
import { expect, test } from 'vitest'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { readEventMessages, readFailedRows, QUIET_LOG, requestRefused, runToFailure } from '../support/operations.ts'
import { slowUpdates } from '../support/faultInjection.ts'
import { waitFor } from '../support/waitFor.ts'

interface DataRollbackTest {
  readonly url: string
  readonly sql: postgres.Sql
  readonly agent: TestAgent
}

async function withRolledOutTable(
  use: (environment: DataRollbackTest) => Promise<void>,
  options: { file?: string; before?: string; finalize?: boolean } = {},
): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 500)
    if (options.before) await sql.unsafe(options.before)
    await withAgent(
      url,
      options.file ?? VEHICLES_FILE,
      async (agent) => {
        await agent.run('expand')
        await agent.run('backfill', { batchSize: 100 })
        await agent.run('validation')
        if (options.finalize !== false) await agent.run('finalize')
        await use({ url, sql, agent })
      },
      QUIET_LOG,
    )
  })
}

const DATA_ROLLBACK = { scope: 'data', confirm: 'vehicles' }
const EXISTING_COLUMN = { before: 'alter table public.vehicles add column type text' }

/** Writes past the trigger. */
const bypassTrigger = (
  statement: string,
): string => `alter table public.vehicles disable trigger "~sti_derive"; ${statement};
  alter table public.vehicles enable always trigger "~sti_derive"`

test('values that legacy columns cannot express are archived before the column is dropped; legacy edits survive', async () => {
  await withRolledOutTable(async ({ sql, agent }) => {
    await sql.unsafe(bypassTrigger(`update public.vehicles set type = 'Bike' where id in (3, 4)`))
    await sql`update public.vehicles set is_truck = false, is_bike = true, name = 'edited' where id = 11`
    const legacy = await sql`select id, name, is_truck, is_bike, axles, updated_at from public.vehicles order by id`
    const rollback = await agent.run('rollback', DATA_ROLLBACK)
    expect(rollback.result).toMatchObject({ archivedValues: 2, clearedRows: 0 })
    expect(
      await sql`select key, stored_type as type, legacy_type as expected from sti.archived_type order by key`,
    ).toEqual([
      { key: ['3'], type: 'Bike', expected: 'Car' },
      { key: ['4'], type: 'Bike', expected: 'Car' },
    ])
    expect(await sql`select * from public.vehicles order by id`).toEqual(legacy)
  })
})

test('an existing column is cleared only where it still has the derived value', async () => {
  await withRolledOutTable(async ({ sql, agent }) => {
    await sql.unsafe(bypassTrigger(`update public.vehicles set type = 'Bike' where id in (3, 4)`))
    expect((await agent.run('rollback', DATA_ROLLBACK)).result).toMatchObject({ archivedValues: 2, clearedRows: 498 })
    expect(await sql`select id::int, type from public.vehicles where type is not null order by id`).toEqual([
      { id: 3, type: 'Bike' },
      { id: 4, type: 'Bike' },
    ])
    // No trigger is left that would set the type of other rows.
    expect(await sql`update public.vehicles set name = name where id = 7 returning type`).toEqual([{ type: null }])
  }, EXISTING_COLUMN)
})

test('while the column is cleared, writes of the application succeed and are kept', async () => {
  await withRolledOutTable(
    async ({ sql, agent }) => {
      await slowUpdates(sql, 0.7)
      const operation = await agent.request('rollback', DATA_ROLLBACK)
      // Trigger, constraint, and NOT NULL are dropped together; the batches follow.
      await waitFor('they are dropped', async () =>
        (await readEventMessages(agent, operation.id)).includes('changes reverted'),
      )
      await sql`insert into public.vehicles (name, is_truck, is_bike) values ('x', true, false)`
      await sql`insert into public.vehicles (name, is_truck, is_bike, type) values ('y', true, false, 'Van')`
      await sql`update public.vehicles set type = 'Mine' where id = 400`
      expect((await agent.waitForEnd(operation.id)).state).toBe('succeeded')
      const rows = await sql`select name, type from public.vehicles where type is not null order by name`
      expect(rows).toEqual([
        { name: 'vehicle 400', type: 'Mine' },
        { name: 'y', type: 'Van' },
      ])
    },
    {
      before: `${EXISTING_COLUMN.before}; create function public.slow() returns trigger language plpgsql as $$ begin return null; end $$;
        create trigger slow after update on public.vehicles for each statement execute function public.slow()`,
      file: `${VEHICLES_FILE}constraint: notNull\ntriggers: { slow: harmless }\n`,
    },
  )
})

test('a row that cannot be cleared is recorded, the others are cleared, and a second rollback completes', async () => {
  await withRolledOutTable(async ({ sql, agent }) => {
    await sql.unsafe(`
      create function public.frozen() returns trigger language plpgsql as
        $$ begin if new.id = 77 then raise exception 'frozen'; end if; return new; end $$;
      create trigger frozen before update on public.vehicles for each row execute function public.frozen()`)
    const failed = await runToFailure(agent, 'rollback', DATA_ROLLBACK)
    expect(failed).toMatchObject({ state: 'failed', errorCode: 'rows-left' })
    expect(failed.error).toMatch(/^1 row could not be cleared and still has a type/)
    expect((await readFailedRows(agent)).map((row) => [row.key[0], row.sqlstate])).toEqual([['77', 'P0001']])
    expect(await sql`select id::int, type from public.vehicles where type is not null`).toEqual([
      { id: 77, type: 'Car' },
    ])
    await sql`drop trigger frozen on public.vehicles`
    expect((await agent.run('rollback', DATA_ROLLBACK)).result).toMatchObject({ clearedRows: 1 })
    expect(await readFailedRows(agent)).toEqual([])
  }, EXISTING_COLUMN)
})

test('a client whose request may still read by type blocks the rollback until it has ended', async () => {
  await withRolledOutTable(async ({ agent }) => {
    await agent.run('flag', { enabled: true })
    const asked = await fetch(`${agent.url}/ofrep/v1/evaluate/flags/vehicles-sti`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKENS.flag}`, 'x-sti-client': 'shop-1', 'content-type': 'application/json' },
      body: JSON.stringify({ context: { targetingKey: 'a' } }),
    })
    expect(await asked.json()).toMatchObject({ value: true })
    await agent.run('rollback', { scope: 'flag' })
    expect(await requestRefused(agent, 'rollback', DATA_ROLLBACK)).toMatch(
      /may still use its earlier state: shop-1\. Wait: their requests end within 30 s/,
    )
  })
})

test('a dependent object prevents the drop, and everything stays unchanged', async () => {
  await withRolledOutTable(async ({ sql, agent }) => {
    await sql`create view public.trucks as select * from public.vehicles where type = 'Truck'`
    const failed = await runToFailure(agent, 'rollback', DATA_ROLLBACK)
    expect(failed).toMatchObject({ state: 'failed', errorCode: '2BP01' })
    // A failed rollback can have written rows, so an earlier validation does not count.
    expect(await agent.rollout()).toMatchObject({ stage: 'covered', validation: { verdict: 'pass' } })
    const [inserted] =
      await sql`insert into public.vehicles (name, is_truck, is_bike) values ('x', true, false) returning type`
    expect(inserted!.type).toBe('Truck')
  })
})
