import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { VEHICLES } from '../support/vehicles.ts'
import { operationOf, quiet, runBadly, steer, until } from './asking.ts'
import { slow, typed, wrong } from './disturbing.ts'
import { withAgentRole } from './role.ts'

test('a role that owns the table, may CREATE in database and schema and has pg_monitor is enough for the whole job', async () => {
  await withAgentRole({ monitor: true }, async ({ url, sql, role }) => {
    await withAgent(
      url,
      VEHICLES,
      async (agent) => {
        await agent.run('expand')
        await agent.run('backfill')
        await agent.run('validation')
        // An index is made in the table's schema; owning the table is not enough for that.
        expect((await runBadly(agent, 'finalize')).error).toMatch(/GRANT CREATE ON SCHEMA public TO agent_/)
        await sql.unsafe(`grant create on schema public to ${role}`)
        await agent.run('finalize')
        expect(await wrong(sql)).toBe(0)
        await agent.run('rollback', { scope: 'data', confirm: 'vehicles' })
      },
      quiet,
    )
  })
})

test('without pg_monitor the sessions of others look idle: the backfill waits and says so', async () => {
  await withAgentRole({ monitor: false }, async ({ url, sql }) => {
    await withAgent(
      url,
      VEHICLES,
      async (agent) => {
        expect((await agent.rollout()).notes.join()).toMatch(/not in pg_monitor/)
        await agent.run('expand')
        const { id } = await agent.request('backfill')
        const waiting = await until('it says why it waits', async () => {
          const { progress } = await operationOf(agent, id)
          return /pg_monitor|pg_read_all_stats/.test(progress?.throttled ?? '') && progress
        })
        expect(waiting.throttled).toMatch(/^lock-waiters-unknown: /)
        expect(await typed(sql)).toBe(0)
        await steer(agent, id, 'cancel')
        await agent.ended(id)
      },
      quiet,
    )
  })
})

test('a policy that hides rows from the owner shows no false 100 %', async () => {
  await withAgentRole({ monitor: true }, async ({ url, sql }) => {
    await slow(sql, 0.05)
    await withAgent(
      url,
      `${VEHICLES}triggers: { slow: harmless }\n`,
      async (agent) => {
        await agent.run('expand')
        const { id } = await agent.request('backfill', { batchSize: 100 })
        await until('rows are written', async () => (await typed(sql)) > 0)
        await sql.unsafe(`create policy few on public.vehicles using (id < 1000);
          alter table public.vehicles enable row level security, force row level security`)
        const ended = await agent.ended(id)
        expect(ended).toMatchObject({ state: 'failed', errorCode: '42501' })
        expect(ended.progress!.ratio).toBeLessThan(1)
        // The policy is read each time: whatever is asked for now is refused with what to do.
        await expect(agent.request('validation')).rejects.toThrow(/forces row level security .* BYPASSRLS/)
      },
      quiet,
    )
  })
})
