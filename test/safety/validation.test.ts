import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { QUIET_LOG, requestRefused } from '../support/operations.ts'

const bypassTrigger = (
  statement: string,
): string => `alter table public.vehicles disable trigger "~sti_derive"; ${statement};
  alter table public.vehicles enable always trigger "~sti_derive"`

test('a validation reads key ranges, one statement each, and counts every row once', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 25_000)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      await agent.run('backfill')
      await sql`select pg_stat_statements_reset()`
      expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass', rows: 25_000 })
      const [read] = await sql<{ calls: number; most: number }[]>`
        select sum(calls)::int as calls, max(rows)::int as most from pg_stat_statements
        where query like '%bit_xor%' and query not like '%pg_stat_statements%' and dbid = (select oid from pg_database where datname = current_database())`
      expect(read!.calls).toBeGreaterThan(1)
      const { confusion, checksum } = (await agent.rollout()).validation!
      expect(confusion).toEqual([
        { actual: 'Car', expected: 'Car', rows: 15_000 },
        { actual: 'Truck', expected: 'Truck', rows: 7_500 },
        { actual: 'Bike', expected: 'Bike', rows: 2_500 },
      ])
      // The checksum depends on the values and not on the physical order.
      await sql`cluster public.vehicles using vehicles_name`
      await agent.run('validation')
      expect((await agent.rollout()).validation!.checksum).toBe(checksum)
      await sql`update public.vehicles set is_truck = not is_truck where id = 1`
      await agent.run('validation')
      expect((await agent.rollout()).validation!.checksum).not.toBe(checksum)
    })
  })
})

test('a validation finds one wrong row among many, names it, and closes the gate', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 20_000)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      await agent.run('backfill')
      await agent.run('validation')
      await agent.run('finalize')
      await sql.unsafe(bypassTrigger(`update public.vehicles set type = 'Bike' where id = 17001`))
      const { result } = await agent.run('validation')
      expect(result).toMatchObject({ verdict: 'fail', coverage: 0.99995 })
      const { checks } = (await agent.rollout()).validation!
      expect(checks.find((check) => check.check === 'type-matches-legacy')).toMatchObject({
        verdict: 'fail',
        discrepancies: 1,
        sampleKeys: [['17001']],
      })
      expect(await requestRefused(agent, 'flag', { enabled: true })).toMatch(
        /No validation of every layer that validation.requires lists has passed/,
      )
    })
  })
})

test('the session of a validation cannot write, even through an expression with a false volatility', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    // The function is declared immutable but counts its calls in a table.
    await sql.unsafe(`
      create table public.calls (at timestamptz);
      create function public.count_call() returns boolean language plpgsql volatile as $$ begin
        insert into public.calls values (clock_timestamp()); return true; end $$;
      create function public.lies(boolean) returns boolean language plpgsql immutable as $$ begin
        perform public.count_call(); return $1; end $$`)
    const file = VEHICLES_FILE.replace('when: is_truck', 'when: "lies(is_truck)"')
    await withAgent(
      url,
      file,
      async (agent) => {
        await agent.run('expand')
        await agent.run('backfill')
        const before = await sql`select count(*)::int as n from public.calls`
        expect(before[0]!.n).toBeGreaterThan(0)
        const { id } = await agent.request('validation')
        await sleep(1_500)
        await agent.post(`/v1/operations/${id}/cancel`, {})
        expect((await agent.waitForEnd(id)).state).not.toBe('succeeded')
        expect(await sql`select count(*)::int as n from public.calls`).toEqual(before)
      },
      QUIET_LOG,
    )
  })
})
