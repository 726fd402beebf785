import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'

test('a validation from before a later backfill does not open the flag', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 1_000)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      await expect(agent.run('flag', { enabled: true })).rejects.toThrow(/run the backfill/)
      await agent.run('backfill')
      await expect(agent.run('flag', { enabled: true })).rejects.toThrow(/No validation/)
      await expect(agent.run('finalize')).rejects.toThrow(/Run a validation that passes first/)
      await agent.run('validation')
      await expect(agent.run('flag', { enabled: true })).rejects.toThrow(/Finalize is incomplete/)
      await agent.run('finalize')
      await agent.run('backfill')
      await expect(agent.run('flag', { enabled: true })).rejects.toThrow(/No validation/)
      await agent.run('validation')
      await agent.run('flag', { enabled: true, percentage: 10 })
      expect((await agent.rollout()).stage).toBe('ramping')
    })
  })
})

test('a fault of the database blocks every step forward and no rollback; a declared trigger may be dropped', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 1_000)
    await sql.unsafe(`create function touch() returns trigger language plpgsql as 'begin return new; end';
      create trigger touch before update on public.vehicles for each row execute function touch()`)
    await withAgent(url, `${VEHICLES_FILE}triggers: { touch: harmless }\n`, async (agent) => {
      await agent.run('expand')
      await sql`drop trigger touch on public.vehicles`
      await sql`create publication everything for all tables`
      const { faults } = await agent.rollout()
      expect(faults).toEqual([expect.stringMatching(/^Publication everything/)])
      await expect(agent.run('backfill')).rejects.toThrow(/everything/)
      await agent.run('rollback', { scope: 'data', full: true, confirm: 'vehicles' })
    })
  })
})

test('a file that cannot restore legacy columns keeps the flag off until it accepts lost writes, even with force', async () => {
  const none = `${VEHICLES_FILE.replaceAll(/, restore: \{[^}]*\}/g, '')}restore: none\n`
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 100)
    await withAgent(url, none, async (agent) => {
      for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await agent.run(kind)
      for (const force of [false, true])
        await expect(agent.run('flag', { enabled: true, force })).rejects.toThrow(
          /restore: none, so turning the flag off would lose the writes of new code: set acceptLostWrites: true/,
        )
    })
    await withAgent(url, `${none}acceptLostWrites: true\n`, async (agent) => {
      // The acceptance derives nothing, so no step is repeated.
      await agent.run('flag', { enabled: true })
    })
  })
})

const CHECKED_FILE = `${VEHICLES_FILE.replace('[integrity]', '[integrity, performance, business]')}checks:
  - { name: no-heavy-bike, violations: select id from public.vehicles where is_bike and axles > 3 }
`

test('finalize needs the layers about the rows, and the flag every layer that the file requires', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 100)
    await withAgent(url, CHECKED_FILE, async (agent) => {
      for (const kind of ['expand', 'backfill', 'validation'] as const) await agent.run(kind)
      expect(await agent.rollout()).toMatchObject({ stage: 'covered' })
      await expect(agent.run('finalize')).rejects.toThrow(/The layer business of validation \d+ failed \(no-heavy-bike/)
      await sql`update public.vehicles set axles = 2`
      await agent.run('validation')
      // Without api, performance cannot be judged. That says nothing about the rows.
      expect(await agent.rollout()).toMatchObject({ stage: 'verified', validation: { verdict: 'inconclusive' } })
      const { notes } = await agent.preview('finalize')
      expect(notes.join(' ')).toMatch(
        /The layer performance of validation \d+ was inconclusive \(.*\)\..* Finalize does not depend on this; turning the flag on does\./,
      )
      await agent.run('finalize')
      expect((await agent.rollout()).stage).toBe('finalized')
      await expect(agent.run('flag', { enabled: true })).rejects.toThrow(
        /The layer performance of validation \d+ was inconclusive/,
      )
      // A report that promotes production needs every required layer, too.
      expect(await agent.get('/v1/rollouts/vehicles/report?format=json')).toMatchObject({ report: { verified: false } })
      await agent.run('flag', { enabled: true, force: true })
      expect((await agent.rollout()).stage).toBe('enabled')
    })
  })
})
