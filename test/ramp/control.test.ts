import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { startHistogramApplication } from '../../agent/src/signals/testing/histogramApplication.ts'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { QUIET_LOG } from '../support/operations.ts'
import { realTimeTest as test } from '../support/realTime.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { waitFor } from '../support/waitFor.ts'

test(
  'a slow machine changes nothing; slow new code is found against the control group, with the numbers of both',
  { timeout: 240_000 },
  async () => {
    await withDatabase(async ({ url, sql }) => {
      await createVehicles(sql, 500)
      const application = await startHistogramApplication({ variants: true })
      try {
        await withAgent(
          url,
          VEHICLES_FILE + application.file,
          async (agent) => {
            for (const kind of ['expand', 'backfill'] as const) await agent.run(kind)
            await agent.run('validation', { layers: ['integrity'] })
            await agent.run('finalize')
            await agent.run('flag', { enabled: true, percentage: 50 })
            const compared = async (requests: number) => {
              const { comparison } = await agent.rollout()
              return comparison != null && comparison.on.requests >= requests && comparison
            }
            await waitFor('both variants are compared', () => compared(500), { seconds: 60 })
            application.slowDown(4)
            application.failPercent(20)
            await sleep(6_000)
            const slow = await agent.rollout()
            expect(slow.flag.enabled).toBe(true)
            expect(slow.comparison).toMatchObject({ latency: { probability: 1 }, errors: { probability: 1 } })
            application.slowDownNewCode(2)
            await waitFor('the flag is off', async () => !(await agent.rollout()).flag.enabled, { seconds: 90 })
            const incident = await waitFor(
              'the incident is written',
              async () => (await agent.rollout()).incidents.find(({ rule }) => rule === 'StiApiLatencyHigh'),
              { seconds: 30 },
            )
            expect(incident).toMatchObject({ source: 'guard', rollback: { scope: 'flag' } })
            expect(incident.summary).toMatch(
              /^Mean latency [\d.]+ ms by type, [\d.]+ ms by legacy columns \([\d.]+×, 95% confidence .*limit \+10%\); more requests by type are slow\.$/,
            )
          },
          { ...QUIET_LOG, config: { guard: true } },
        )
      } finally {
        await application.stop()
      }
    })
  },
)
