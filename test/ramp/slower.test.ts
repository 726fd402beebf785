import { expect } from 'vitest'
import { startHistogramApplication } from '../../agent/src/signals/testing/histogramApplication.ts'
import { QUIET_LOG } from '../support/operations.ts'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { waitFor } from '../support/waitFor.ts'
import { realTimeTest as test } from '../support/realTime.ts'

const FILE = VEHICLES_FILE.replace('{ key: vehicles-sti }', '{ key: vehicles-sti, ramp: [50, 100], hold: 5s }')

/** `STI_RAMP_BASELINE_SECONDS=300` takes a longer baseline. */
const BASELINE_SECONDS = Number(process.env['STI_RAMP_BASELINE_SECONDS'] ?? 60)

test(
  'a step that makes the application slower than its baseline turns the flag off',
  { timeout: (BASELINE_SECONDS + 240) * 1000 },
  async () => {
    await withDatabase(async ({ url, sql }) => {
      await createVehicles(sql, 500)
      const application = await startHistogramApplication()
      try {
        await withAgent(
          url,
          FILE + application.file,
          async (agent) => {
            const baseline = await agent.request('baseline', { durationSeconds: BASELINE_SECONDS, live: true })
            for (const kind of ['expand', 'backfill'] as const) await agent.run(kind)
            await agent.run('validation', { layers: ['integrity'] })
            await agent.run('finalize')
            expect((await agent.waitForEnd(baseline.id)).state).toBe('succeeded')
            const { id } = await agent.request('flag', { enabled: true, ramp: true })
            await waitFor('the first step', async () => (await agent.rollout()).flag.enabled)
            application.slowDown(2)
            const ended = await agent.waitForEnd(id)
            expect(ended).toMatchObject({ state: 'failed', errorCode: 'ramp-failed', progress: { ramp: { step: 1 } } })
            expect(ended.error).toMatch(
              /^The step at 50% failed, and the flag was turned off: api-latency-average: .*baseline/,
            )
            expect((await agent.rollout()).flag).toMatchObject({ enabled: false, percentage: 0 })
          },
          QUIET_LOG,
        )
      } finally {
        await application.stop()
      }
    })
  },
)
