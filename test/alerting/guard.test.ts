import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { RolloutDetail } from '../../agent/src/contract/index.ts'
import { withAgent } from '../support/agent.ts'
import { withSti } from '../support/stiCommand.ts'
import { withDatabase } from '../support/database.ts'
import { startTcpProxy } from '../support/proxy.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { withMetricsApplication } from '../support/applicationMetrics.ts'
import { withObservedRollout } from './metricsApplication.ts'
import {
  forceFlagOn,
  errorsHighAlert,
  grafanaMessage,
  sendWebhook,
  signedHeaders,
  WEBHOOK_CONFIG,
} from './webhookMessages.ts'
import { waitForErrorCondition } from './waitForErrorCondition.ts'
import { realTimeTest as test } from '../support/realTime.ts'

const GUARDED = { ...WEBHOOK_CONFIG, guard: true } as const

test('two guards and an alert with the same decision lead to one rollback and one incident, within 3 s', async () => {
  await withMetricsApplication(async (application) => {
    await withDatabase(async ({ url, sql }) => {
      await createVehicles(sql, 10)
      const file = VEHICLES_FILE + application.file
      await withAgent(
        url,
        file,
        async (agent) => {
          await withAgent(
            url,
            file,
            async (second) => {
              const change = await forceFlagOn(agent)
              await expect.poll(async () => (await second.rollout()).flag.enabled, { timeout: 5_000 }).toBe(true)
              await waitForErrorCondition(agent, 0)
              application.fail(0.4)
              await expect.poll(() => application.firstReadAt(), { timeout: 5_000, interval: 10 }).not.toBeNull()
              const body = grafanaMessage([errorsHighAlert(change)])
              await Promise.all([
                sendWebhook(agent, body, signedHeaders(body)),
                sendWebhook(second, body, signedHeaders(body)),
              ])
              const off = async (testAgent: typeof agent): Promise<boolean> => !(await testAgent.rollout()).flag.enabled
              await expect.poll(() => off(agent), { timeout: 5_000, interval: 20 }).toBe(true)
              const seconds = (Date.now() - application.firstReadAt()!) / 1_000
              console.log(`the flag was off ${seconds} s after the signal`)
              expect(seconds).toBeLessThan(3)
              await expect.poll(() => off(second), { timeout: 5_000 }).toBe(true)
              await expect.poll(async () => (await agent.rollout()).incidents.length, { timeout: 5_000 }).toBe(1)
              await sleep(1_500)
              const { operations, incidents } = await agent.rollout()
              expect(operations.filter(({ kind }) => kind === 'rollback')).toHaveLength(1)
              expect(incidents).toMatchObject([{ change, rule: 'StiApiErrorsHigh', rollback: { scope: 'flag' } }])
              expect(await sql`select from sti.automatic_rollback`).toHaveLength(1)
            },
            { name: 'agent-2', config: GUARDED },
          )
        },
        { config: GUARDED },
      )
    })
  })
})

test('a backfill is paused once; a person resumes it, and the same fault does not pause it again', async () => {
  await withObservedRollout(
    GUARDED,
    async ({ agent, application, sql }) => {
      await agent.run('expand')
      const { id } = await agent.request('backfill', { batchSize: 10, niceRatio: 50 })
      await waitForErrorCondition(agent, 0)
      application.fail(0.4)
      const stopped = await agent.waitForEnd(id)
      expect(stopped.state).toBe('paused')
      await expect
        .poll(async () => (await agent.rollout()).incidents, { timeout: 5_000 })
        .toMatchObject([
          { change: `backfill-${id}`, source: 'guard', rollback: { scope: 'flag' }, severity: 'critical' },
        ])
      const [event] = await sql<{ message: string }[]>`
        select message from sti.operation_event where kind = 'decision'`
      expect(event!.message).toBe(`StiApiErrorsHigh: paused backfill ${id}`)
      await expect
        .poll(async () => (await fetch(`${agent.url}/metrics`)).text(), { timeout: 8_000 })
        .toMatch(/sti_backfill_paused\{[^}]*by="rollback"\} 1/)
      expect((await agent.post(`/v1/operations/${id}/resume`, {})).status).toBe(202)
      await sleep(4_000)
      expect(['running', 'succeeded']).toContain((await agent.get<{ state: string }>(`/v1/operations/${id}`)).state)
    },
    5_000,
  )
})

test('the flag is not turned on to be turned off again: above the limits, command and dialog say so beforehand', async () => {
  await withObservedRollout(GUARDED, async ({ agent, application }) => {
    for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await agent.run(kind)
    const preview = () => agent.preview('flag', { enabled: true })
    await expect.poll(async () => (await preview()).allowed, { timeout: 15_000 }).toBe(true)
    application.fail(0.4)
    await expect.poll(async () => (await preview()).allowed, { timeout: 15_000 }).toBe(false)
    expect((await preview()).reasons.join()).toMatch(/requests failed .*would turn the flag off again/)
    await withSti(async (sti) => {
      const refused = await sti(agent.url, 'flag', '--enable')
      expect(refused.code).toBe(3)
      expect(refused.err).toMatch(/requests failed in the last \d+ s \(\d.*%; limit 0.1%\).*pause automatic rollback/)
      expect((await agent.rollout()).flag.enabled).toBe(false)
      await sti(agent.url, 'automatic-rollback', 'pause', '--reason', 'a known fault')
      const warned = await sti(agent.url, 'flag', '--enable')
      expect(warned.code).toBe(0)
      expect(warned.err).toMatch(/Warning: .* requests failed .*Automatic rollback is paused until .*a known fault/)
      expect((await agent.rollout()).flag.enabled).toBe(true)
    })
  })
})

test('while paused, the guard opens an incident and rolls nothing back; once resumed, it does', async () => {
  await withObservedRollout(GUARDED, async ({ agent, application }) => {
    await forceFlagOn(agent)
    const switched = '/v1/rollouts/vehicles/automatic-rollback'
    await agent.post(switched, { armed: false, reason: 'load test' })
    await waitForErrorCondition(agent, 0)
    application.fail(0.4)
    await expect
      .poll(async () => (await agent.rollout()).incidents, { timeout: 8_000 })
      .toMatchObject([{ rollback: null, reasons: [expect.stringMatching(/paused until .* by ann/)] }])
    await sleep(1_500)
    expect((await agent.rollout()).flag.enabled).toBe(true)
    await agent.post(switched, { armed: true, reason: 'it has ended' })
    await expect.poll(async () => (await agent.rollout()).flag.enabled, { timeout: 5_000 }).toBe(false)
    const rolledBack = async (): Promise<RolloutDetail['incidents']> => (await agent.rollout()).incidents
    await expect.poll(rolledBack, { timeout: 5_000 }).toMatchObject([{ rollback: { scope: 'flag' } }])
  })
})

test('without the database the flag goes off from memory, and the decision is written once the database is back', async () => {
  await withMetricsApplication(async (application) => {
    await withDatabase(async ({ url, sql }) => {
      await createVehicles(sql, 10)
      const way = await startTcpProxy(url)
      try {
        await withAgent(
          way.url,
          VEHICLES_FILE + application.file,
          async (agent) => {
            const change = await forceFlagOn(agent)
            await waitForErrorCondition(agent, 0)
            way.refuse(true)
            way.resetConnections()
            application.fail(0.4)
            const served = async (): Promise<boolean> => {
              const text = await (await fetch(`${agent.url}/metrics`)).text()
              return / 1$/m.test(/^sti_flag_enabled.*$/m.exec(text)![0])
            }
            await expect.poll(served, { timeout: 8_000, interval: 50 }).toBe(false)
            // Grafana re-sends undelivered messages: the decision is the same, and nothing happens twice.
            const body = grafanaMessage([errorsHighAlert(change)])
            expect((await sendWebhook(agent, body, signedHeaders(body))).status).toBe(202)
            expect(await sql`select from sti.automatic_rollback`).toHaveLength(0)
            way.refuse(false)
            await expect
              .poll(async () => (await agent.rollout().catch(() => null))?.incidents ?? [], { timeout: 15_000 })
              .toMatchObject([{ change, rollback: { scope: 'flag' } }])
            await expect.poll(async () => (await sql`select from sti.alert`).length, { timeout: 5_000 }).toBe(1)
            const { operations, flag } = await agent.rollout()
            expect(flag).toMatchObject({ enabled: false, persisted: true })
            expect(operations.filter(({ kind }) => kind === 'rollback')).toHaveLength(1)
          },
          { config: GUARDED, log: () => undefined },
        )
      } finally {
        await way.stop()
      }
    })
  })
})
