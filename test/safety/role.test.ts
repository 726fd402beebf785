import postgres from 'postgres'
import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { VEHICLES_FILE } from '../support/vehicles.ts'
import { readOperation, QUIET_LOG, runToFailure, controlOperation } from '../support/operations.ts'
import { slowUpdates, countTypedRows, countWrongRows } from '../support/faultInjection.ts'
import { withAgentRole } from './agentRole.ts'
import { waitFor } from '../support/waitFor.ts'

test('a role that owns the table, can CREATE in database and schema, and has pg_monitor can run the whole rollout', async () => {
  await withAgentRole({ monitor: true }, async ({ url, sql, role }) => {
    await withAgent(
      url,
      VEHICLES_FILE,
      async (agent) => {
        const later = /^Later, finalize would be refused: .*GRANT CREATE ON SCHEMA public TO agent_/
        expect(await agent.preview('expand')).toMatchObject({
          allowed: true,
          notes: expect.arrayContaining([expect.stringMatching(later)]) as string[],
        })
        const { result } = await agent.run('expand')
        expect(result!['notes']).toEqual(expect.arrayContaining([expect.stringMatching(later)]))
        await agent.run('backfill')
        await agent.run('validation')
        // Creating an index needs CREATE on the schema; owning the table is not enough.
        expect((await runToFailure(agent, 'finalize')).error).toMatch(/GRANT CREATE ON SCHEMA public TO agent_/)
        await sql.unsafe(`grant create on schema public to ${role}`)
        await agent.run('finalize')
        expect(await countWrongRows(sql)).toBe(0)
        await agent.run('rollback', { scope: 'data', confirm: 'vehicles' })
      },
      QUIET_LOG,
    )
  })
})

test('without pg_monitor other sessions look idle, so the backfill waits and gives the reason', async () => {
  await withAgentRole({ monitor: false }, async ({ url, sql }) => {
    await withAgent(
      url,
      VEHICLES_FILE,
      async (agent) => {
        expect((await agent.rollout()).notes.join()).toMatch(/not a member of pg_monitor/)
        await agent.run('expand')
        const { id } = await agent.request('backfill')
        const waiting = await waitFor('it reports why it waits', async () => {
          const { progress } = await readOperation(agent, id)
          return /pg_monitor|pg_read_all_stats/.test(progress?.throttled ?? '') && progress
        })
        expect(waiting.throttled).toMatch(/^lock-waiters-unknown: /)
        expect(await countTypedRows(sql)).toBe(0)
        await controlOperation(agent, id, 'cancel')
        await agent.waitForEnd(id)
      },
      QUIET_LOG,
    )
  })
})

test('a policy that hides rows from the owner does not lead to a false 100%', async () => {
  await withAgentRole({ monitor: true }, async ({ url, sql }) => {
    await slowUpdates(sql, 0.05)
    await withAgent(
      url,
      `${VEHICLES_FILE}triggers: { slow: harmless }\n`,
      async (agent) => {
        await agent.run('expand')
        const { id } = await agent.request('backfill', { batchSize: 100 })
        await waitFor('rows are written', async () => (await countTypedRows(sql)) > 0)
        await sql.unsafe(`create policy few on public.vehicles using (id < 1000);
          alter table public.vehicles enable row level security, force row level security`)
        const ended = await agent.waitForEnd(id)
        expect(ended).toMatchObject({ state: 'failed', errorCode: '42501' })
        expect(ended.progress!.ratio).toBeLessThan(1)
        // The policy is read for each request, which is refused with advice.
        await expect(agent.request('validation')).rejects.toThrow(/forces row-level security .* BYPASSRLS/)
      },
      QUIET_LOG,
    )
  })
})

test.each([
  { rows: 'row security off', policy: '' },
  { rows: 'row security on', policy: 'alter table public.vehicles enable row level security' },
  {
    rows: 'row security forced, and BYPASSRLS',
    policy:
      'alter table public.vehicles enable row level security, force row level security; alter role ROLE bypassrls',
  },
])(
  'membership in the role of the owner is enough, and the owner keeps changing its table: $rows',
  async ({ policy }) => {
    await withAgentRole({ monitor: true }, async ({ url, sql, role }) => {
      const owner = `owner_${role}`
      await sql.unsafe(`create role ${owner} login password 'owner'; alter table public.vehicles owner to ${owner}; grant ${owner} to ${role};
        grant usage, create on schema public to ${role}, ${owner};
        create policy every_row on public.vehicles using (true) with check (true);
        ${policy.replace('ROLE', role)}`)
      const address = new URL(url)
      address.username = owner
      address.password = 'owner'
      const asOwner = postgres(address.href, { max: 1, onnotice: () => undefined })
      try {
        await withAgent(
          url,
          VEHICLES_FILE,
          async (agent) => {
            await agent.run('expand')
            await asOwner.unsafe(`insert into public.vehicles (name, is_truck, is_bike) values ('new', true, false)`)
            await asOwner.unsafe(
              'alter table public.vehicles add column note text; create index note on public.vehicles (note)',
            )
            await agent.run('backfill')
            await agent.run('validation')
            await agent.run('finalize')
            await agent.run('flag', { enabled: true })
            await asOwner.unsafe(`insert into public.vehicles (name, type) values ('by type', 'Bike')`)
            await asOwner.unsafe('drop index public.note; alter table public.vehicles drop column note')
            expect(await countWrongRows(sql)).toBe(0)
            const [table] = await sql<{ owner: string }[]>`
              select relowner::regrole::text as owner from pg_class where oid = 'public.vehicles'::regclass`
            expect(table!.owner).toBe(owner)
            await agent.run('rollback', { scope: 'data', full: true, confirm: 'vehicles' })
            await asOwner.unsafe('alter table public.vehicles add column later int')
          },
          QUIET_LOG,
        )
      } finally {
        await asOwner.end({ timeout: 2 })
        await sql.unsafe(`drop owned by ${owner} cascade; drop role ${owner}`)
      }
    })
  },
)
