import { expect, test } from 'vitest'
import type { OperationEvent } from '../../agent/src/contract/index.ts'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'

test('the main job: expand, backfill, validation, finalize, flag on, flag off, rollback', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 20_000)
    const before = await sql`select * from public.vehicles order by id`
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      const [inserted] =
        await sql`insert into public.vehicles (name, is_truck, is_bike) values ('new', false, true) returning id, type`
      expect(inserted!.type).toBe('Bike')
      const backfill = await agent.run('backfill', { batchSize: 1000, enableMonitoring: true })
      expect(backfill.result).toMatchObject({ passedRows: 20_001, writtenRows: 20_000, failedRows: 0 })
      expect(backfill.progress).toMatchObject({ ratio: 1, processedRows: 20_001 })
      const { events } = await agent.get<{ events: OperationEvent[] }>(`/v1/operations/${backfill.id}/events`)
      expect(events.filter((event) => event.kind === 'reading')).not.toEqual([])
      expect((await agent.rollout()).stage).toBe('covered')
      const validation = await agent.run('validation')
      expect(validation.result).toMatchObject({ verdict: 'pass', coverage: 1, rows: 20_001 })
      expect((await agent.rollout()).stage).toBe('verified')
      await agent.run('finalize')
      expect((await agent.rollout()).stage).toBe('finalized')
      await agent.run('flag', { enabled: true })
      expect(await agent.rollout()).toMatchObject({ stage: 'enabled', flag: { enabled: true } })
      const [wrong] = await sql`select count(*)::int as n from public.vehicles
        where type is distinct from case when is_truck then 'Truck' when is_bike then 'Bike' else 'Car' end`
      expect(wrong!.n).toBe(0)
      await agent.run('rollback', { scope: 'flag' })
      expect(await agent.rollout()).toMatchObject({ stage: 'rolled-back', flag: { enabled: false } })
      await agent.run('rollback', { scope: 'data', full: true, confirm: 'vehicles' })
      expect((await agent.rollout()).stage).toBe('rolled-back')
    })
    const after = await sql`select * from public.vehicles where name <> 'new' order by id`
    expect(after).toEqual(before)
    const left = await sql`select tgname from pg_trigger where tgrelid = 'public.vehicles'::regclass union all
      select conname from pg_constraint where conname like 'sti%'
      union all select relname from pg_class where relname like 'sti%'
      union all select proname from pg_proc where proname like 'derive%'`
    expect(left).toEqual([])
  })
})
