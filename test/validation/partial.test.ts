import { expect, test } from 'vitest'
import { requestRefused } from '../support/operations.ts'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { validate } from './validations.ts'

test('a partial validation opens no gate, and a failed one closes an open gate', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 1_000)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      await agent.run('backfill')
      const part = await validate(agent, { checks: ['coverage', 'no-failed-row'] })
      expect(part.layers).toEqual([
        { layer: 'integrity', verdict: 'pass', required: true, complete: false, detail: '' },
      ])
      expect(part).toMatchObject({ verdict: 'pass', integrityScore: null })
      expect((await agent.rollout()).stage).toBe('covered')
      expect(await requestRefused(agent, 'flag', { enabled: true })).toMatch(
        /No validation of every layer that validation.requires lists has passed[\s\S]* did not run every check of the layer integrity/,
      )
      expect((await validate(agent, { layers: ['integrity'] })).verdict).toBe('pass')
      expect(await agent.rollout()).toMatchObject({ stage: 'verified', coverage: 1 })
      // A later validation of another layer does not replace it.
      await validate(agent, { layers: ['business'] })
      expect((await agent.rollout()).stage).toBe('verified')
      await sql.unsafe(`alter table public.vehicles disable trigger "~sti_derive"; update public.vehicles set type = 'Bike' where id = 7;
        alter table public.vehicles enable always trigger "~sti_derive"`)
      expect((await validate(agent, { checks: ['coverage'] })).verdict).toBe('fail')
      expect((await agent.rollout()).stage).toBe('covered')
      expect(await requestRefused(agent, 'flag', { enabled: true })).toMatch(
        /Checks that failed since validation \d+: coverage/,
      )
      await sql`update public.vehicles set is_bike = is_bike where id = 7`
      await validate(agent, { checks: ['coverage'] })
      expect((await agent.rollout()).stage).toBe('verified')
      expect(await requestRefused(agent, 'validation', { checks: ['coverage', 'magic'] })).toMatch(
        /Unknown check magic. Available checks: coverage, type-matches-legacy/,
      )
    })
  })
})

test('a required layer without a verdict is refused with a reason', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 1_000)
    await withAgent(url, VEHICLES_FILE.replace('[integrity]', '[integrity, business]'), async (agent) => {
      await agent.run('expand')
      await agent.run('backfill')
      expect((await validate(agent)).verdict).toBe('inconclusive')
      expect(await requestRefused(agent, 'flag', { enabled: true })).toMatch(
        /The layer business of validation \d+ was inconclusive \(the rollout file has no checks: add some, or remove business from validation.requires\)/,
      )
    })
  })
})
