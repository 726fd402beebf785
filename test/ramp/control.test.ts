import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { startHistogramApplication } from '../../agent/src/signals/testing/histogramApplication.ts'
import { TOKENS, withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { importBaseline } from '../support/importBaseline.ts'
import { QUIET_LOG, readEventMessages, readOperation } from '../support/operations.ts'
import { realTimeTest as test } from '../support/realTime.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { waitFor } from '../support/waitFor.ts'

test('a slow machine changes nothing; slow new code is found against the control group, with the numbers of both', async () => {
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
            const isMeasured = comparison != null && comparison.latency.between !== null
            return isMeasured && comparison.on.requests >= requests && comparison
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
})

test('a step that has too few requests is held until it has enough, and the report has the numbers of both variants', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 500)
    const application = await startHistogramApplication({ variants: true })
    const ramp = '{ key: vehicles-sti, ramp: [50, 100], hold: 2s, maximumHold: 2m }'
    const file = VEHICLES_FILE.replace('{ key: vehicles-sti }', ramp) + application.file
    const strict = file.replace('[integrity]', '[integrity, performance]')
    try {
      await withAgent(
        url,
        file,
        async (agent) => {
          for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await agent.run(kind)
        },
        QUIET_LOG,
      )
      await withAgent(
        url,
        strict,
        async (agent) => {
          await importBaseline(agent, strict)
          const parameters = { enabled: true, ramp: true, force: true }
          const estimate = await waitFor('the traffic is known', async () => {
            const { notes, estimatedSeconds } = await agent.preview('flag', parameters)
            return notes.find((note) => note.startsWith('At ')) !== undefined && { notes, estimatedSeconds }
          })
          // By hand: half of 200 requests per second, and 1,000 requests by type, take 10 s. At 100%, the baseline needs 60 s.
          expect(estimate.notes.join(' ')).toMatch(
            /At (1[89]|2\d)\d\.\d requests per second, 50% needs about (9|10|11)(\.\d)? s to tell/,
          )
          expect(estimate.estimatedSeconds).toBeGreaterThan(60)
          const { id } = await agent.request('flag', parameters)
          const steps = new Set<string>()
          const holds = new Set<number>()
          const verdicts = await waitFor(
            'the first step has passed',
            async () => {
              const { step, progress } = await readOperation(agent, id)
              if (step !== null) steps.add(step)
              if (progress?.ramp?.step === 1) holds.add(progress.ramp.holdSeconds)
              const messages = (await readEventMessages(agent, id)).filter((message) => message.startsWith('Step 1'))
              return messages.at(-1)?.startsWith('Step 1 of 2, 50%: pass') && messages
            },
            { seconds: 120 },
          )
          expect(verdicts[0]).toMatch(/^Step 1 of 2, 50%: inconclusive \(variant-/)
          // This application answers requests by type without a statement, like one that does not know the column.
          expect(verdicts.at(-1)).toMatch(
            /pass \(type-used: .* no statement in pg_stat_statements reads or writes column/,
          )
          expect([...steps].join('\n')).toMatch(/waiting for more requests, next judgment in \d+/)
          // It was held longer than for 2 s, and not for longer than maximumHold.
          expect(Math.max(...holds)).toBeGreaterThan(5)
          expect(Math.max(...holds)).toBeLessThanOrEqual(120)
          await agent.run('flag', { enabled: false })
          const answer = await fetch(`${agent.url}/v1/rollouts/vehicles/report?format=md`, {
            headers: { authorization: `Bearer ${TOKENS.viewer}` },
          })
          expect(await answer.text()).toMatch(
            /50%: pass [^|]*\| [\d,]+ requests, .* on average, 0% failed \| [\d,]+ requests, .* failed \| .*× \\\(95% confidence/,
          )
        },
        QUIET_LOG,
      )
    } finally {
      await application.stop()
    }
  })
})
