import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { readEventMessages, readOperation, QUIET_LOG, requestRefused, controlOperation } from '../support/operations.ts'
import { slowUpdates, countTypedRows, countWrongRows } from '../support/faultInjection.ts'
import { waitFor } from '../support/waitFor.ts'

/** Bikes have become Cycles. */
const CHANGED_FILE = VEHICLES_FILE.replace('name: Bike', 'name: Cycle')

test('an agent with another rollout file does not claim the operation', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 1_000)
    await slowUpdates(sql, 0.1)
    const id = await withAgent(url, `${VEHICLES_FILE}triggers: { slow: harmless }\n`, async (agent) => {
      await agent.run('expand')
      const { id } = await agent.request('backfill', { batchSize: 100 })
      await waitFor('rows are written', async () => (await countTypedRows(sql)) > 0)
      await controlOperation(agent, id, 'pause')
      expect((await agent.waitForEnd(id)).state).toBe('paused')
      return id
    })
    const written = await countTypedRows(sql)
    await withAgent(
      url,
      `${CHANGED_FILE}triggers: { slow: harmless }\n`,
      async (agent) => {
        await controlOperation(agent, id, 'resume')
        // The agent polls for work every 0.5 s.
        await sleep(1_500)
        expect((await readOperation(agent, id)).state).toBe('queued')
        expect(await countTypedRows(sql)).toBe(written)
      },
      QUIET_LOG,
    )
  })
})

test('the trigger of an earlier file is detected and blocks everything until expand replaces it and its constraint', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 100)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      await agent.run('expand')
      await agent.run('backfill')
      await agent.run('validation')
      await agent.run('finalize')
    })
    await withAgent(
      url,
      CHANGED_FILE,
      async (agent) => {
        expect((await agent.rollout()).stage).toBe('new')
        expect(await requestRefused(agent, 'backfill')).toMatch(
          /was created from an earlier version of the rollout file\. Expand again/,
        )
        expect(await requestRefused(agent, 'flag', { enabled: true })).toMatch(/sti expand/)
        const validation = await agent.run('validation')
        expect(validation.result).toMatchObject({ verdict: 'fail' })
        const expand = await agent.run('expand')
        expect(await readEventMessages(agent, expand.id)).toContain('The column, its function, and its trigger exist')
        // The old constraint does not allow Cycle and would fail this write of the application.
        const [cycle] =
          await sql`insert into public.vehicles (name, is_truck, is_bike) values ('c', false, true) returning type`
        expect(cycle!.type).toBe('Cycle')
        expect((await agent.rollout()).stage).toBe('expanded')
        expect((await agent.run('backfill')).result).toMatchObject({ writtenRows: 10 })
        expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass' })
        await agent.run('finalize')
        const [check] = await sql<{ text: string }[]>`select pg_get_constraintdef(oid) as text from pg_constraint
          where conrelid = 'public.vehicles'::regclass and contype = 'c'`
        expect(check!.text).toMatch(/Cycle/)
        await agent.run('rollback', { scope: 'data', confirm: 'vehicles' })
      },
      QUIET_LOG,
    )
    const columns =
      await sql`select attname from pg_attribute where attrelid = 'public.vehicles'::regclass and attname = 'type'`
    expect(columns).toEqual([])
  })
})

test('a file with dualWrite: application removes the trigger of an earlier file', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(url, VEHICLES_FILE, (agent) => agent.run('expand'))
    await withAgent(url, `${VEHICLES_FILE}dualWrite: application\n`, async (agent) => {
      expect(await requestRefused(agent, 'backfill')).toMatch(
        /trigger of an earlier rollout file is still on the table/,
      )
      await agent.run('expand')
      const triggers = await sql`select tgname from pg_trigger where tgrelid = 'public.vehicles'::regclass`
      expect(triggers).toEqual([])
      await agent.run('backfill')
      expect(await countWrongRows(sql)).toBe(0)
      // Only later writes of the application show that it writes both sides.
      expect((await agent.run('validation')).result).toMatchObject({ verdict: 'inconclusive' })
      await sql`update public.vehicles set is_truck = true, type = 'Truck' where id = 3`
      expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass' })
    })
  })
})
