import { setTimeout as sleep } from 'node:timers/promises'
import type postgres from 'postgres'
import { expect, test } from 'vitest'
import type { CheckResult, Validation } from '../../agent/src/contract/index.ts'
import { QUIET_LOG } from '../support/operations.ts'
import { withSession } from '../support/faultInjection.ts'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { withFinalizedRollout, NO_RESTORE_FILE, withConflicts } from './finalizedRollout.ts'

async function runCheck(agent: TestAgent, name: string): Promise<CheckResult> {
  const { result } = await agent.run('validation', { checks: [name] })
  const { validation } = result as { validation: number }
  const { checks } = await agent.get<Validation>(`/v1/rollouts/vehicles/validations/${validation}`)
  return checks.find((check) => check.check === name)!
}

const canary = (agent: TestAgent): Promise<CheckResult> => runCheck(agent, 'dual-write-canary')

/** All rows with the columns that identify a row version. */
async function readTupleVersions(sql: postgres.Sql): Promise<unknown> {
  return await sql`select xmin::text as version, v.* from public.vehicles v order by id`
}

const FUNCTION = (name: string, body: string): string =>
  `create function public.${name}() returns trigger language plpgsql as $$ begin ${body} end $$;`

test('the canary tests both directions before and after finalize, and changes nothing', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      await agent.run('backfill')
      const functionText = await sql`select prosrc from pg_proc where proname = 'derive_vehicles'`
      expect(await canary(agent)).toMatchObject({
        verdict: 'pass',
        value: 2,
        limit: 2,
        detail: expect.stringMatching(
          /and the legacy columns follow the type \(tried with the function that finalize creates\)$/,
        ),
      })
      expect(await sql`select prosrc from pg_proc where proname = 'derive_vehicles'`).toEqual(functionText)
      await agent.run('validation')
      await agent.run('finalize')
      const before = await readTupleVersions(sql)
      expect(await canary(agent)).toMatchObject({
        verdict: 'pass',
        value: 2,
        limit: 2,
        detail: 'the type follows the legacy columns, and the legacy columns follow the type',
      })
      expect(await readTupleVersions(sql)).toEqual(before)
    })
  })
})

test.each([
  [
    'a disabled trigger',
    'alter table public.vehicles disable trigger "~sti_derive"',
    /changed to (\w+) through its legacy columns, but it then has type (?!\1)\w+, and its legacy columns imply \1/,
  ],
  [
    'a modified function',
    `create or replace function sti.derive_vehicles() returns trigger language plpgsql as $$ begin
       new.type := case when new.is_truck then 'Bike' else 'Car' end; return new; end $$`,
    /changed to Truck through its legacy columns, but it then has type Bike, and its legacy columns imply Truck|changed to Bike through its legacy columns, but it then has type Car/,
  ],
  [
    'an application trigger that reverts the dual-write trigger',
    `create or replace function public.undo() returns trigger language plpgsql as $$ begin
       if pg_trigger_depth() = 1 then update public.vehicles set type = old.type where id = new.id; end if; return null; end $$`,
    /changed to (\w+) through its type, but it then has type (?!\1)(\w+), and its legacy columns imply \2$/,
  ],
])('the canary finds %s', async (_, statement, sentence) => {
  await withFinalizedRollout(
    async ({ sql, agent }) => {
      await sql.unsafe(statement)
      const found = await canary(agent)
      expect(found).toMatchObject({ verdict: 'fail', discrepancies: 1 })
      expect(found.detail).toMatch(sentence)
      expect(found.sampleKeys).toHaveLength(1)
    },
    {
      before: `${FUNCTION('undo', 'return null;')}
        create trigger undo after update on public.vehicles for each row execute function public.undo()`,
      file: `${VEHICLES_FILE}triggers: { undo: harmless }\n`,
    },
  )
})

test('a locked row is skipped, and a table of locked rows is inconclusive', async () => {
  await withFinalizedRollout(async ({ url, agent }) => {
    await withSession(url, async (session) => {
      await session.unsafe('begin; select from public.vehicles where id <= 2 for update')
      expect(await canary(agent)).toMatchObject({ verdict: 'pass' })
      await session.unsafe('select from public.vehicles for update')
      const found = await canary(agent)
      expect(found).toMatchObject({ verdict: 'inconclusive', value: null })
      expect(found.detail).toMatch(/^all 20 rows were locked for more than 100 ms/)
      await session.unsafe('rollback')
    })
  })
})

test('a table without a writable row and an undeclared trigger are inconclusive; an empty table is tried on a copy', async () => {
  await withFinalizedRollout(async ({ sql, agent }) => {
    await sql`alter table public.vehicles add constraint fixed check (is_truck = (id in (1, 2, 10)) and is_bike = (id = 5)) not valid`
    expect((await canary(agent)).detail).toMatch(
      /^none of 20 rows could be changed to another type: 23514 .*violates check constraint "fixed"$/,
    )
    await sql.unsafe(`alter table public.vehicles drop constraint fixed; ${FUNCTION('audit', 'return null;')}
      create trigger audit after update of is_truck on public.vehicles for each row execute function public.audit()`)
    expect(await canary(agent)).toMatchObject({
      verdict: 'inconclusive',
      detail: expect.stringMatching(
        /^Trigger audit on public\.vehicles fires when the canary of a validation writes a legacy column/,
      ) as string,
    })
    await sql.unsafe('drop trigger audit on public.vehicles; delete from public.vehicles')
    expect(await canary(agent)).toMatchObject({
      verdict: 'pass',
      value: 2,
      detail:
        'on a copy, since the table is empty: the type follows the legacy columns, and the legacy columns follow the type',
    })
  })
})

test('with restore: none a row gets its type back and a written one is kept; neither is a discrepancy', async () => {
  await withFinalizedRollout(
    async ({ sql, agent }) => {
      expect(await canary(agent)).toMatchObject({ verdict: 'pass', value: 2 })
      await sql`update public.vehicles set type = 'Bike' where id in (3, 4)`
      expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass', coverage: 1 })
      expect((await runCheck(agent, 'type-matches-legacy')).detail).toBe(
        'every type matches the legacy columns; 2 rows with a type written by new code, which is lost when the flag is turned off',
      )
      await sql.unsafe(`alter table public.vehicles disable trigger "~sti_derive"; update public.vehicles set type = null where id = 1;
        alter table public.vehicles enable always trigger "~sti_derive"`)
      expect(await runCheck(agent, 'type-matches-legacy')).toMatchObject({ verdict: 'fail', sampleKeys: [['1']] })
    },
    { file: NO_RESTORE_FILE },
  )
})

test('a conflict since the last validation fails the check once and is counted in the metrics', async () => {
  await withFinalizedRollout(
    async ({ sql, agent }) => {
      const check = (): Promise<CheckResult> => runCheck(agent, 'dual-write-conflicts')
      expect(await check()).toMatchObject({ verdict: 'pass', value: 0 })
      await sql`update public.vehicles set is_truck = true, type = 'Bike' where id in (3, 4)`
      expect(await check()).toMatchObject({ verdict: 'fail', value: 2, limit: 0, sampleKeys: [['4'], ['3']] })
      expect(await check()).toMatchObject({ verdict: 'pass', value: 2, limit: 2, sampleKeys: [] })
      await expect
        .poll(async () => await (await fetch(`${agent.url}/metrics`)).text(), { timeout: 10_000 })
        .toMatch(/^sti_conflicts_total\{environment="staging",rollout="vehicles",resolution="type"\} 2$/m)
    },
    { file: withConflicts('type') },
  )
})

test('dualWrite: application is checked on rows written since the backfill', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 100)
    await withAgent(
      url,
      `${VEHICLES_FILE}dualWrite: application\n`,
      async (agent) => {
        const check = (): Promise<CheckResult> => runCheck(agent, 'dual-write-application')
        await agent.run('expand')
        expect(await check()).toMatchObject({ verdict: 'inconclusive' })
        await agent.run('backfill')
        expect(await check()).toMatchObject({ verdict: 'inconclusive', value: 0 })
        await sql`update public.vehicles set is_truck = false, is_bike = true, type = 'Bike' where id = 1`
        expect(await check()).toMatchObject({
          verdict: 'pass',
          value: 0,
          detail: expect.stringMatching(/^0 of 1 row written since/) as string,
        })
        await agent.run('validation')
        await agent.run('finalize')
        // The application omits one side, and writes both sides of another row in separate statements.
        await sql`update public.vehicles set is_truck = false where id = 2`
        await sql`update public.vehicles set is_truck = true where id = 3`
        const found = check()
        // The check reads the rows, and again two seconds later.
        await expect.poll(async () => (await agent.rollout()).running?.step).toBe('check dual-write-application')
        await sleep(500)
        await sql`update public.vehicles set type = 'Truck' where id = 3`
        expect(await found).toMatchObject({
          verdict: 'fail',
          value: 1,
          discrepancies: 1,
          sampleKeys: [['2']],
          detail: expect.stringMatching(
            /^1 of .* have a type that does not match their legacy columns \(limit 0\); 1 changed during the check$/,
          ) as string,
        })
      },
      QUIET_LOG,
    )
  })
})
