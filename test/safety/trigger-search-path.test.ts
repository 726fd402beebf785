import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { QUIET_LOG, runToFailure } from '../support/operations.ts'
import { createVehicles, VEHICLES_FILE } from '../support/vehicles.ts'

/** A trigger that finds its table and its function by the application's search path. */
const UNQUALIFIED_TRIGGER = `
  create table public.audit (vehicle bigint, note text);
  create function public.note_of(bigint) returns text language sql as $$ select 'changed ' || $1 $$;
  create function public.audit() returns trigger language plpgsql as $$
    begin insert into audit values (new.id, note_of(new.id)); return new; end $$;
  create trigger audit after update on public.vehicles for each row execute function public.audit()`
const FILE = `${VEHICLES_FILE}triggers: { audit: harmless }\n`

test('a trigger with unqualified names fires for backfill, canary and clearing', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 200)
    await sql.unsafe(`${UNQUALIFIED_TRIGGER}; alter table public.vehicles add column type text`)
    await withAgent(url, FILE, async (agent) => {
      await agent.run('expand')
      expect((await agent.run('backfill')).result).toMatchObject({ failedRows: 0 })
      expect(await sql`select from public.audit where note = 'changed ' || vehicle`).toHaveLength(200)
      expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass' })
      await agent.run('rollback', { scope: 'data', confirm: 'vehicles' })
      expect(await sql`select from public.vehicles where type is not null`).toHaveLength(0)
    })
  })
})

test('where another role could replace what the trigger calls, expand is refused, and the advice is enough', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 20)
    await sql.unsafe(`${UNQUALIFIED_TRIGGER}; grant create on schema public to public`)
    await withAgent(
      url,
      FILE,
      async (agent) => {
        const { error } = await runToFailure(agent, 'expand')
        expect(error).toMatch(
          /relation "audit" does not exist.*PL\/pgSQL function public\.audit\(\).*ALTER FUNCTION … SET search_path/s,
        )
        await sql`alter function public.audit() set search_path = public, pg_temp`
        await agent.run('expand')
        expect((await agent.run('backfill')).result).toMatchObject({ failedRows: 0 })
      },
      QUIET_LOG,
    )
  })
})
