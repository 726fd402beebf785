import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { readOperation, QUIET_LOG, requestRefused, runToFailure, controlOperation } from '../support/operations.ts'
import { slowUpdates, countTypedRows, countWrongRows } from '../support/faultInjection.ts'
import { waitFor } from '../support/waitFor.ts'

const TOUCH = `
  create function public.touch() returns trigger language plpgsql as $$ begin
    if current_setting('sti.engine', true) = 'on' then return new; end if;
    new.updated_at := now(); return new; end $$;
  create trigger touch before update on public.vehicles for each row execute function public.touch()`

test('an undeclared UPDATE trigger blocks the backfill; one that is declared to skip does not', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 500)
    await sql.unsafe(TOUCH)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      expect(await requestRefused(agent, 'backfill')).toMatch(/Trigger touch on public.vehicles fires on every row/)
      expect(await countTypedRows(sql)).toBe(0)
    })
    const before = await sql`select id, updated_at from public.vehicles order by id`
    await withAgent(url, `${VEHICLES_FILE}triggers: { touch: skips }\n`, async (agent) => {
      await agent.run('expand')
      await agent.run('backfill')
    })
    expect(await countWrongRows(sql)).toBe(0)
    expect(await sql`select id, updated_at from public.vehicles order by id`).toEqual(before)
    const [touched] = await sql`update public.vehicles set name = 'x' where id = 1 returning updated_at`
    expect(touched!.updated_at).not.toEqual(before[0]!.updated_at)
  })
})

test('a trigger that is created while the backfill is paused keeps it paused, with the reason', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 2_000)
    await slowUpdates(sql, 0.1)
    await withAgent(
      url,
      `${VEHICLES_FILE}triggers: { slow: harmless }\n`,
      async (agent) => {
        await agent.run('expand')
        const { id } = await agent.request('backfill', { batchSize: 100 })
        await waitFor('rows are written', async () => (await countTypedRows(sql)) > 0)
        await controlOperation(agent, id, 'pause')
        expect((await agent.waitForEnd(id)).state).toBe('paused')
        await sql.unsafe(TOUCH)
        const written = await countTypedRows(sql)
        await controlOperation(agent, id, 'resume')
        const standing = await waitFor('it is paused again', async () => {
          const operation = await readOperation(agent, id)
          return operation.state === 'paused' && operation
        })
        expect(standing.error).toMatch(/Trigger touch on public.vehicles fires on every row/)
        expect(await countTypedRows(sql)).toBe(written)
        await controlOperation(agent, id, 'cancel')
      },
      QUIET_LOG,
    )
  })
})

const AUDIT = `
  create table public.audit (like public.vehicles);
  create function public.audit() returns trigger language plpgsql as $$ begin
    if current_setting('sti.engine', true) = 'on' then return null; end if;
    insert into public.audit select new.*; return null; end $$;
  create trigger audit after update of is_truck on public.vehicles for each row execute function public.audit()`

test('a trigger that fails on the new column rolls back the whole expand, with a clear error', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    // The trigger skips batches of the engine and fires for one column only, but the next write of the application fires it.
    await sql.unsafe(AUDIT)
    await withAgent(
      url,
      `${VEHICLES_FILE}triggers: { audit: skips }\n`,
      async (agent) => {
        const operation = await runToFailure(agent, 'expand')
        expect(operation.state).toBe('failed')
        expect(operation.error).toMatch(
          /Expand failed and changed nothing: INSERT has more expressions than target columns.*function audit\(\) line 3.*one more column/,
        )
        const left = await sql`
          select attname::text as name from pg_attribute where attrelid = 'public.vehicles'::regclass and attname = 'type'
          union all select tgname from pg_trigger where tgname = '~sti_derive'
          union all select object from sti.change`
        expect(left).toEqual([])
        await sql`update public.vehicles set is_truck = not is_truck where id = 1`
        expect((await sql`select count(*)::int as n from public.audit`)[0]!.n).toBe(1)
      },
      QUIET_LOG,
    )
  })
})

test('the preview names a trigger that the trial write does not reach', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 1)
    await sql.unsafe(AUDIT.replace('after update of is_truck', 'after insert'))
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      expect((await agent.preview('expand')).notes.join('\n')).toMatch(
        /Trigger audit does not fire on UPDATE, so it is not tested/,
      )
    })
  })
})
