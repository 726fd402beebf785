import { expect, test } from 'vitest'
import { startApplication } from '../../agent/src/signals/testing/application.ts'
import { quiet, until } from '../safety/asking.ts'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES, vehicles } from '../support/vehicles.ts'

const FILE = VEHICLES.replace('{ key: vehicles-sti }', '{ key: vehicles-sti, ramp: [50, 100], hold: 5s }')

/** STI_RAMP_BASELINE_SECONDS=300 has a baseline of more readings. */
const BASELINE_SECONDS = Number(process.env['STI_RAMP_BASELINE_SECONDS'] ?? 60)

test(
  'a step that makes the application slower than its baseline turns the flag off',
  { timeout: (BASELINE_SECONDS + 240) * 1000 },
  async () => {
    await withDatabase(async ({ url, sql }) => {
      await vehicles(sql, 500)
      const application = await startApplication()
      try {
        await withAgent(
          url,
          FILE + application.file,
          async (agent) => {
            const baseline = await agent.request('baseline', { durationSeconds: BASELINE_SECONDS, live: true })
            for (const kind of ['expand', 'backfill'] as const) await agent.run(kind)
            await agent.run('validation', { layers: ['integrity'] })
            await agent.run('finalize')
            expect((await agent.ended(baseline.id)).state).toBe('succeeded')
            const { id } = await agent.request('flag', { enabled: true, ramp: true })
            await until('the first step', async () => (await agent.rollout()).flag.enabled)
            application.slower(2)
            const ended = await agent.ended(id)
            expect(ended).toMatchObject({ state: 'failed', errorCode: 'ramp-failed', progress: { ramp: { step: 1 } } })
            expect(ended.error).toMatch(
              /^The step at 50 % failed, and the flag is off: api-latency-average: .*baseline/,
            )
            expect((await agent.rollout()).flag).toMatchObject({ enabled: false, percentage: 0 })
          },
          quiet,
        )
      } finally {
        await application.stop()
      }
    })
  },
)
