import { expect, test } from 'vitest'
import { startMixedCodeClients, type ExpectedVehicle, type VehicleType } from '../dual-write/mixedCodeClients.ts'
import { QUIET_LOG } from '../support/operations.ts'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { failedChecks, validate } from './validations.ts'

/** `STI_LIVE_SECONDS=600` validates for ten minutes. */
const SECONDS = Number(process.env['STI_LIVE_SECONDS'] ?? 20)

test(
  `validations under traffic of old and new code for ${SECONDS} s raise no false alarm`,
  { timeout: (SECONDS + 240) * 1000 },
  async () => {
    await withDatabase(async ({ url, sql }) => {
      await createVehicles(sql, 20_000)
      await sql.unsafe(`create extension amcheck;
        alter table public.vehicles alter is_truck set default false, alter is_bike set default false`)
      const rows = await sql<{ id: string; name: string; type: VehicleType }[]>`
        select id, name, case when is_truck then 'Truck' when is_bike then 'Bike' else 'Car' end as type
        from public.vehicles where id <= 5000`
      const clients = startMixedCodeClients(
        url,
        new Map<string, ExpectedVehicle>(rows.map(({ id, ...row }) => [id, row])),
        4,
      )
      const file = `${VEHICLES_FILE}checks:
  - { name: types-and-flags-agree, violations: "select id from public.vehicles where type = 'Truck' and not is_truck" }
`
      let validations = 0
      const alarms: string[] = []
      try {
        await withAgent(
          url,
          file,
          async (agent) => {
            for (const kind of ['expand', 'backfill', 'validation', 'finalize', 'validation'] as const)
              await agent.run(kind)
            await agent.run('flag', { enabled: true })
            clients.newCode(true)
            for (const end = Date.now() + SECONDS * 1000; Date.now() < end;) {
              const validation = await validate(agent, { layers: ['integrity', 'business'] })
              validations++
              alarms.push(...failedChecks(validation), ...failedChecks(validation, 'business'))
            }
          },
          QUIET_LOG,
        )
      } finally {
        await clients.stop()
      }
      const { old: byOld, new: byNew } = clients.writes()
      console.log(
        `${validations} validations while old code wrote ${byOld} times and new code ${byNew} times: ${alarms.length} false alarms`,
      )
      expect(alarms).toEqual([])
      expect(validations).toBeGreaterThan(1)
      expect(Math.min(byOld, byNew)).toBeGreaterThan(SECONDS * 5)
    })
  },
)
