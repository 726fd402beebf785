import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { QUIET_LOG } from '../support/operations.ts'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { findLostEdits, startMixedCodeClients, type ExpectedVehicle, type VehicleType } from './mixedCodeClients.ts'

const SESSIONS = 6
const NEW_CODE_WRITES = 3_000

test('old and new code lose no edit during a whole rollout, and both columns end up correct', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 3_000)
    // New code does not set these columns, so the schema needs defaults.
    await sql`alter table public.vehicles alter is_truck set default false, alter is_bike set default false`
    const rows = await sql<{ id: string; name: string; type: VehicleType }[]>`
      select id, name, case when is_truck then 'Truck' when is_bike then 'Bike' else 'Car' end as type from public.vehicles`
    const known = new Map<string, ExpectedVehicle>(rows.map(({ id, ...row }) => [id, row]))
    const clients = startMixedCodeClients(url, known, SESSIONS)
    const compare = async (typed: boolean): Promise<void> => {
      await clients.pause()
      expect((await findLostEdits(sql, known, typed)).slice(0, 5)).toEqual([])
      clients.resume()
    }
    const untilNewCodeWrote = async (more: number): Promise<void> => {
      const from = clients.writes().new
      while (clients.writes().new < from + more) await sleep(20)
    }
    try {
      await withAgent(
        url,
        VEHICLES_FILE,
        async (agent) => {
          await agent.run('expand')
          await agent.run('backfill', { batchSize: 200 })
          await agent.run('validation')
          await agent.run('finalize')
          await compare(true)
          expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass', coverage: 1 })
          await agent.run('flag', { enabled: true })
          clients.newCode(true)
          await untilNewCodeWrote(NEW_CODE_WRITES)
          expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass', coverage: 1 })
          await compare(true)
          clients.newCode(false)
          await agent.run('rollback', { scope: 'flag' })
          await compare(true)
          // A second backfill and another change of the flag keep everything correct.
          await agent.run('backfill')
          expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass', coverage: 1 })
          await agent.run('flag', { enabled: true })
          clients.newCode(true)
          await untilNewCodeWrote(300)
          await compare(true)
          clients.newCode(false)
          await clients.pause()
          clients.resume()
          const rollback = await agent.run('rollback', { scope: 'data', full: true, confirm: 'vehicles' })
          // Everything that new code wrote is in the legacy columns, so nothing needs an archive.
          expect(rollback.result).toMatchObject({ archivedValues: 0 })
          await compare(false)
        },
        QUIET_LOG,
      )
    } finally {
      await clients.stop()
    }
    const { old: byOld, new: byNew } = clients.writes()
    console.log(`old code wrote ${byOld} times, new code ${byNew} times: 0 edits lost`)
    expect(byNew).toBeGreaterThan(NEW_CODE_WRITES)
    expect((await sql`select from sti.conflict`).length).toBe(0)
  })
})
