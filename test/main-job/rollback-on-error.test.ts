import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'

test('--rollback-on-error=data: a failed backfill rolls the column back', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 2_000)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      await sql.unsafe(`alter table public.vehicles add constraint no_bike check (type <> 'Bike') not valid`)
      const { id } = await agent.request('backfill', { rollbackOnError: 'data' })
      expect(await agent.waitForEnd(id)).toMatchObject({ state: 'failed', errorCode: 'error-budget' })
      for (let attempt = 0; attempt < 100 && (await agent.rollout()).stage !== 'rolled-back'; attempt++) {
        await sleep(100)
      }
      const rollout = await agent.rollout()
      expect(rollout.stage).toBe('rolled-back')
      expect(rollout.operations[0]).toMatchObject({ kind: 'rollback', state: 'succeeded', actor: { name: 'ann' } })
    })
    const columns =
      await sql`select from information_schema.columns where table_name = 'vehicles' and column_name = 'type'`
    expect(columns).toHaveLength(0)
  })
})
