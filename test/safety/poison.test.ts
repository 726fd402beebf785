import type postgres from 'postgres'
import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { readEventMessages, readFailedRows, QUIET_LOG, requestRefused, runToFailure } from '../support/operations.ts'

/** The application refuses every UPDATE of these rows. */
async function refuseRows(
  sql: postgres.Sql,
  ids: readonly number[],
  raise = `raise exception 'row % is frozen', new.id`,
): Promise<void> {
  await sql.unsafe(`
    create or replace function public.frozen() returns trigger language plpgsql as
      $$ begin if new.id in (${ids.join(', ')}) then ${raise}; end if; return new; end $$;
    create or replace trigger frozen before update on public.vehicles for each row execute function public.frozen()`)
}

const FILE = `${VEHICLES_FILE}triggers: { frozen: harmless }\n`

test.each([
  { name: 'the first row', ids: [1] },
  { name: 'the last row', ids: [500] },
  { name: 'both ends of a batch and their neighbours', ids: [100, 101, 200, 201] },
  { name: 'several in one batch', ids: [103, 104, 150, 199] },
  { name: 'a whole batch', ids: Array.from({ length: 20 }, (_, i) => 101 + i) },
])('poison rows are isolated: $name', async ({ ids }) => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 500)
    await refuseRows(sql, ids)
    await withAgent(
      url,
      `${FILE}errorBudget: 1\n`,
      async (agent) => {
        await agent.run('expand')
        const backfill = await agent.run('backfill', { batchSize: ids.length === 20 ? 20 : 100 })
        expect(backfill.result).toMatchObject({
          passedRows: 500,
          writtenRows: 500 - ids.length,
          failedRows: ids.length,
        })
        expect(backfill.progress).toMatchObject({
          processedRows: 500 - ids.length,
          failedRows: ids.length,
          totalRows: 500,
          ratio: (500 - ids.length) / 500,
        })
        const rows = await readFailedRows(agent)
        expect(rows.map((row) => Number(row.key[0])).sort((a, b) => a - b)).toEqual(ids)
        expect(rows[0]).toMatchObject({ sqlstate: 'P0001', message: `row ${rows[0]!.key[0]} is frozen` })
        const untyped = await sql`select id::int from public.vehicles where type is null order by id`
        expect(untyped.map((row) => row['id'] as number)).toEqual(ids)
      },
      QUIET_LOG,
    )
  })
})

test('more failed rows than the error budget fail the backfill; after a fix it starts at zero', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 500)
    await refuseRows(sql, [10, 20, 30, 40])
    await withAgent(
      url,
      `${FILE}errorBudget: 0.005\n`,
      async (agent) => {
        await agent.run('expand')
        const failed = await runToFailure(agent, 'backfill', { batchSize: 100 })
        expect(failed).toMatchObject({ state: 'failed', errorCode: 'error-budget' })
        expect(failed.error).toMatch(
          /^3 of 500 rows failed \(error budget 2 rows, 0\.5%\)\. .* start the backfill again/,
        )
        expect(await requestRefused(agent, 'flag', { enabled: true })).toMatch(/Coverage is not complete/)
        // Two rows are fixed. The other two are within the budget, regardless of earlier records.
        await refuseRows(sql, [30, 40])
        expect((await agent.run('backfill', { batchSize: 100 })).result).toMatchObject({ failedRows: 2 })
      },
      QUIET_LOG,
    )
  })
})

test('failed rows block the flag until they are fixed and retried', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 500)
    await refuseRows(sql, [7, 8])
    await withAgent(
      url,
      `${FILE}errorBudget: 1\n`,
      async (agent) => {
        await agent.run('expand')
        const backfill = await agent.run('backfill')
        expect(
          (await readEventMessages(agent, backfill.id)).filter((message) =>
            /failed: row . is frozen \(P0001\)/.test(message),
          ).length,
        ).toBe(2)
        expect((await agent.run('validation')).result).toMatchObject({ verdict: 'fail', coverage: 498 / 500 })
        expect(await requestRefused(agent, 'flag', { enabled: true })).toMatch(/2 failed rows: fix and retry them/)
        await refuseRows(sql, [8])
        await agent
          .post('/v1/rollouts/vehicles/failed-rows/retry', { environment: 'staging' })
          .then(({ body }) => agent.waitForEnd((body as { id: number }).id))
        expect((await readFailedRows(agent)).map((row) => row.key)).toEqual([['8']])
        await sql`delete from public.vehicles where id = 8`
        await agent
          .post('/v1/rollouts/vehicles/failed-rows/retry', { environment: 'staging' })
          .then(({ body }) => agent.waitForEnd((body as { id: number }).id))
        expect(await readFailedRows(agent)).toEqual([])
        expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass', coverage: 1, rows: 499 })
      },
      QUIET_LOG,
    )
  })
})

const UNMAPPED = VEHICLES_FILE.replace(/otherwise:.*\n/, '')
const acceptanceBody = (keys: string[][]) => ({ keys, reason: 'known' })

test('an acceptance by an admin applies to one row only, and only while that row is wrong', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 20)
    await sql`update public.vehicles set is_truck = true where id <> 3`
    await withAgent(
      url,
      `${UNMAPPED}errorBudget: 1\n`,
      async (agent) => {
        await sql`update public.vehicles set is_truck = false, is_bike = false where id = 3`
        await agent.run('expand')
        expect((await agent.run('backfill')).result).toMatchObject({ failedRows: 1, writtenRows: 19 })
        expect((await agent.run('validation')).result).toMatchObject({ verdict: 'fail' })
        await agent.post('/v1/rollouts/vehicles/failed-rows/accept', acceptanceBody([['3']]))
        expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass', coverage: 0.95 })
        await agent.run('finalize')
        await agent.run('flag', { enabled: true })
        await agent.run('rollback', { scope: 'flag' })
        // The accepted row is fixed and another one becomes wrong: the acceptance does not cover it.
        await sql`update public.vehicles set is_truck = true where id = 3`
        await sql`update public.vehicles set is_truck = false, is_bike = false where id = 4`
        expect((await agent.run('validation')).result).toMatchObject({ verdict: 'fail', coverage: 0.95 })
        // After a fix, a new failure of the row requires a new acceptance.
        await agent.run('backfill')
        expect((await readFailedRows(agent)).map((row) => [row.key[0], row.accepted])).toEqual([['4', null]])
        await sql`update public.vehicles set is_truck = false where id = 3`
        await agent.run('backfill')
        expect((await readFailedRows(agent)).map((row) => [row.key[0], row.accepted]).sort()).toEqual([
          ['3', null],
          ['4', null],
        ])
      },
      QUIET_LOG,
    )
  })
})

test('the sweep finds a row without a matching type that was inserted behind the backfill', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 1_000)
    await sql`update public.vehicles set is_truck = true`
    // After the last batch, a row at the front becomes unmapped.
    await sql.unsafe(`
      create function public.late() returns trigger language plpgsql as $$ begin
        if exists (select from changed where id = 1000) then
          update public.vehicles set is_truck = false, is_bike = false where id = 5; end if;
        return null; end $$;
      create trigger late after update on public.vehicles referencing new table as changed for each statement execute function public.late()`)
    await withAgent(
      url,
      `${UNMAPPED}errorBudget: 1\ntriggers: { late: harmless }\n`,
      async (agent) => {
        await agent.run('expand')
        expect((await agent.run('backfill', { batchSize: 100 })).result).toMatchObject({ failedRows: 1 })
        expect((await readFailedRows(agent)).map((row) => [row.key[0], row.sqlstate])).toEqual([['5', 'unmapped']])
      },
      QUIET_LOG,
    )
  })
})

test('a row for which the expression raises an error is a failed row, and a validation counts it', async () => {
  const raising = VEHICLES_FILE.replace('when: is_truck', 'when: "12 / axles > 4"')
    .replace('legacyColumns: [is_truck, is_bike]', 'legacyColumns: [is_truck, is_bike, axles]')
    .replaceAll(/, restore: \{[^}]*\}/g, '')
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 300)
    await sql`update public.vehicles set axles = 0 where id in (1, 150)`
    await withAgent(
      url,
      `${raising}restore: none\nerrorBudget: 1\n`,
      async (agent) => {
        await agent.run('expand')
        expect((await agent.run('backfill', { batchSize: 50 })).result).toMatchObject({
          failedRows: 2,
          writtenRows: 298,
        })
        expect((await readFailedRows(agent)).map((row) => row.sqlstate)).toEqual(['22012', '22012'])
        await agent.run('validation')
        const checks = (await agent.rollout()).validation!.checks
        expect(checks.find((check) => check.check === 'expression-never-raises')).toMatchObject({
          verdict: 'fail',
          discrepancies: 2,
          sampleKeys: [['1'], ['150']],
        })
        await agent.post('/v1/rollouts/vehicles/failed-rows/accept', acceptanceBody([['1'], ['150']]))
        expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass', rows: 300 })
      },
      QUIET_LOG,
    )
  })
})
