import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Operation } from '../../agent/src/contract/index.ts'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { waitFor } from '../support/waitFor.ts'
import { realTimeTest as test } from '../support/realTime.ts'

const FILE = VEHICLES_FILE.replace('requires: [integrity]', 'every: 5s, requires: [integrity]')

test('a validation starts automatically once the table is covered, once for any number of agents, and resumes after a restart', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 2_000)
    await withAgent(url, FILE, async (firstAgent) => {
      const validations = async (): Promise<Operation[]> =>
        (await firstAgent.get<{ operations: Operation[] }>('/v1/operations')).operations.filter(
          (operation) => operation.kind === 'validation',
        )
      await sleep(6_000)
      expect(await validations()).toEqual([])
      await withAgent(
        url,
        FILE,
        async () => {
          await firstAgent.run('expand')
          await firstAgent.run('backfill')
          await waitFor('the first one', async () => (await validations()).length === 1)
          const [first] = await validations()
          expect(first).toMatchObject({ actor: { via: 'agent' }, reason: 'scheduled every 5 s' })
          expect((await firstAgent.waitForEnd(first!.id)).result).toMatchObject({ verdict: 'pass' })
          const text = await (await fetch(`${firstAgent.url}/metrics`)).text()
          expect(text).toMatch(/sti_validation_due_timestamp_seconds\{environment="staging",rollout="vehicles"\} 1\d+/)
          await waitFor('the second one', async () => (await validations()).length === 2)
          const [second] = await validations()
          expect(Date.parse(second!.createdAt) - Date.parse(first!.createdAt)).toBeGreaterThanOrEqual(5_000)
        },
        { name: 'agent-2' },
      )
    })
    await withAgent(url, FILE, async (again) => {
      await waitFor('it resumes', async () => {
        const [row] = await sql<{ n: number }[]>`select count(*)::int as n from sti.operation where kind = 'validation'`
        return row!.n >= 3
      })
      // A validation that found a fault reports it in its events and series, and starts nothing.
      await sql.unsafe(`alter table public.vehicles disable trigger "~sti_derive"; update public.vehicles set type = 'Bike' where id = 17;
        alter table public.vehicles enable always trigger "~sti_derive"`)
      await waitFor('one that fails', async () => {
        const [event] = await sql<{ message: string }[]>`
          select message from sti.operation_event where kind = 'verdict' and message like 'verdict fail%'`
        return event?.message.includes('integrity fail (coverage: 1,999 of 2,000 rows')
      })
      await waitFor('its series', async () =>
        /sti_check_verdict\{[^}]*check="coverage"[^}]*verdict="fail"\} 1/.test(
          await (await fetch(`${again.url}/metrics`)).text(),
        ),
      )
    })
  })
})
