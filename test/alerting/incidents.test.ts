import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Incident, Problem, RolloutDetail, RolloutSummary } from '../../agent/src/contract/index.ts'
import { TOKENS, withAgent } from '../support/agent.ts'
import { withSti } from '../support/stiCommand.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { waitFor } from '../support/waitFor.ts'
import { grafanaMessage, sendWebhook, WEBHOOK_CONFIG, type WebhookAlert } from './webhookMessages.ts'
import { realTimeTest as test } from '../support/realTime.ts'

const CONTACTS = `contacts:
  - { role: Technical Lead, name: Ada, email: ada@example.com, escalateAfter: 2m }
`

test('a failed backfill with --rollback-on-error opens one incident, which is acknowledged by name and then closed', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 500)
    await withAgent(url, VEHICLES_FILE + CONTACTS, async (agent) => {
      await agent.run('expand')
      await sql.unsafe(`alter table public.vehicles add constraint no_bike check (type <> 'Bike') not valid`)
      const { id } = await agent.request('backfill', { rollbackOnError: true })
      expect(await agent.waitForEnd(id)).toMatchObject({ state: 'failed', errorCode: 'error-budget' })
      const [incident] = await waitForIncident(agent.rollout)
      expect(incident).toMatchObject({
        rollout: 'vehicles',
        rule: 'StiErrorBudgetExceeded',
        change: `backfill-${id}`,
        severity: 'critical',
        state: 'open',
        source: 'operation',
        times: 1,
        drill: false,
        late: false,
        escalation: { level: 0, role: null, nextRole: 'Technical Lead' },
      })
      expect(Date.parse(incident!.acknowledgeBy) - Date.parse(incident!.openedAt)).toBe(300_000)
      const text = await fetchMetrics(agent.url)
      expect(text).toMatch(
        /sti_incident_open_seconds\{environment="staging",rollout="vehicles",severity="critical",escalation="0"\} \d/,
      )

      const path = `/v1/incidents/${incident!.id}/acknowledge`
      const viewer = { authorization: `Bearer ${TOKENS.viewer}` }
      expect((await agent.post(path, { note: 'x' }, viewer)).status).toBe(403)
      const bob = { authorization: `Bearer ${TOKENS.bob}` }
      expect(await agent.post<Incident>(path, { note: 'on it' }, bob)).toMatchObject({
        status: 200,
        body: { state: 'acknowledged', acknowledgedBy: { name: 'bob' }, acknowledgedNote: 'on it', late: false },
      })
      const again = await agent.post<Problem>(path, {}, bob)
      expect(again.status).toBe(409)
      expect(again.body.detail).toContain('was acknowledged by bob')
      expect(await fetchMetrics(agent.url)).toContain('sti_incident_acknowledgement_seconds_count{')

      // It remains one incident, however often it is read, and stays open until a person closes it.
      await sleep(2_500)
      expect(await fetchMetrics(agent.url)).not.toContain('sti_incident_open_seconds{')
      const { rollouts } = await agent.get<{ rollouts: RolloutSummary[] }>('/v1/rollouts')
      expect(rollouts[0]!.openIncidents).toBe(1)
      expect(await agent.post(`/v1/incidents/${incident!.id}/resolve`, { note: 'fixed' })).toMatchObject({
        status: 200,
        body: { state: 'closed', closedBy: { name: 'ann' }, times: 1 },
      })
      await sleep(2_500)
      const { openIncidents, incidents } = await agent.rollout()
      expect(openIncidents).toBe(0)
      expect(incidents).toHaveLength(1)
      expect((await agent.get<{ incidents: Incident[] }>('/v1/incidents?open=true')).incidents).toEqual([])
      expect((await agent.post('/v1/incidents/99/acknowledge', {})).status).toBe(404)
    })
    const events = await sql<{ message: string }[]>`
      select message from sti.operation_event where kind = 'incident' order by id`
    expect(events.map(({ message }) => message)).toEqual([
      'incident 1 opened: StiErrorBudgetExceeded',
      'incident 1 acknowledged',
      'incident 1 closed',
    ])
  })
})

test('information has an hour, is listed until somebody has seen it, and pages nobody; other changes join with their own summary', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(
      url,
      VEHICLES_FILE + CONTACTS,
      async (agent) => {
        const alert = (alertname: string, summary: string, change?: string): WebhookAlert => {
          const labels = { alertname, environment: 'staging', rollout: 'vehicles' }
          return {
            labels: change === undefined ? labels : { ...labels, change },
            annotations: { summary },
            fingerprint: summary,
          }
        }
        const notice = alert('StiFlagChanged', 'Flag changed')
        const send = async (...alerts: WebhookAlert[]): Promise<void> => {
          expect((await sendWebhook(agent, grafanaMessage(alerts))).status).toBe(202)
        }
        await send(notice, alert('StiOperationStarted', 'backfill started'))
        const unseen = async () =>
          (await agent.get<{ incidents: Incident[] }>('/v1/incidents?open=true&severity=info')).incidents
        await expect.poll(async () => (await unseen()).length, { timeout: 8_000 }).toBe(2)
        const [first] = (await unseen()).filter(({ rule }) => rule === 'StiFlagChanged')
        expect(first).toMatchObject({
          severity: 'info',
          state: 'open',
          late: false,
          escalation: { level: 0, nextAt: null },
        })
        expect(Date.parse(first!.acknowledgeBy) - Date.parse(first!.openedAt)).toBe(3_600_000)
        expect((await agent.rollout()).openIncidents).toBe(0)
        // Its clock runs, and no level of it is ever reached.
        await sql`update sti.incident set opened_at = opened_at - interval '2 hours'`
        expect((await unseen())[0]).toMatchObject({ late: true, escalation: { level: 0, nextAt: null } })
        await expect
          .poll(() => fetchMetrics(agent.url), { timeout: 8_000 })
          .toMatch(/sti_incident_open_seconds\{[^}]*severity="info",escalation="0"\} 7[12]\d\d/)
        await withSti(async (sti) => {
          expect((await sti(agent.url, 'incidents', '--open', '--severity', 'info')).out).toContain('backfill started')
          const seen = await sti(agent.url, 'incidents', 'acknowledge', String(first!.id))
          expect(seen.out).toContain(`Incident ${first!.id} (StiFlagChanged) is closed. Acknowledged by ann`)
        })
        expect((await unseen()).map(({ rule }) => rule)).toEqual(['StiOperationStarted'])

        // The flag is off, so that no change is active: anybody could have sent these changes.
        await send(alert('StiErrorBudgetExceeded', 'Budget of the first', 'backfill-1'))
        const critical = async () =>
          (await agent.get<{ incidents: Incident[] }>('/v1/incidents?open=true&severity=critical')).incidents
        await expect.poll(async () => (await critical()).length, { timeout: 8_000 }).toBe(1)
        await send(alert('StiErrorBudgetExceeded', 'Budget of the second', 'backfill-2'))
        await expect.poll(async () => (await critical())[0]!.joined.length, { timeout: 8_000 }).toBe(1)
        expect(await critical()).toMatchObject([
          {
            change: 'backfill-1',
            summary: 'Budget of the first',
            joined: [{ change: 'backfill-2', summary: 'Budget of the second', source: 'grafana', times: 1 }],
          },
        ])
        await send(alert('StiErrorBudgetExceeded', 'Budget of the second, later', 'backfill-2'))
        await expect.poll(async () => (await critical())[0]!.joined[0]!.times, { timeout: 8_000 }).toBe(2)
        const [{ joined } = { joined: [] }] = await critical()
        expect(joined).toMatchObject([{ change: 'backfill-2', summary: 'Budget of the second, later', times: 2 }])
        await withSti(async (sti) => {
          expect((await sti(agent.url, 'incidents', '--open')).out).toMatch(
            /backfill-1 .* Budget of the first\n +backfill-2 +Budget of the second, later/,
          )
        })
        await send(
          ...Array.from({ length: 30 }, (_, index) =>
            alert('StiErrorBudgetExceeded', `One of many ${index}`, `flag-${index}`),
          ),
        )
        await expect.poll(async () => (await critical())[0]!.times, { timeout: 8_000 }).toBe(33)
        expect((await critical())[0]!.joined).toHaveLength(20)
      },
      { config: WEBHOOK_CONFIG },
    )
  })
})

test('a person pauses automatic rollback for a time; it resumes automatically', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      const path = '/v1/rollouts/vehicles/automatic-rollback'
      expect((await agent.rollout()).automaticRollback).toMatchObject({
        armed: true,
        scopes: ['flag'],
        pausedBy: null,
        pathSeenAt: null,
        pathLive: false,
        pathStarting: true,
      })
      const until = (ms: number): string => new Date(Date.now() + ms).toISOString()
      const pause = { armed: false, reason: 'load test' }
      expect((await agent.post(path, { ...pause, until: until(-1_000) })).status).toBe(422)
      expect((await agent.post(path, { ...pause, until: until(8 * 86_400_000) })).status).toBe(422)
      expect((await agent.post(path, { ...pause, environment: 'production' })).status).toBe(409)
      expect((await agent.post(path, { armed: false })).status).toBe(422)
      const paused = await agent.post(path, { ...pause, until: until(6_000), environment: 'staging' })
      expect(paused).toMatchObject({ status: 200, body: { armed: false, pausedBy: 'ann', reason: 'load test' } })
      await expect
        .poll(() => fetchMetrics(agent.url), { timeout: 5_000 })
        .toMatch(/sti_automatic_rollback_armed\{[^}]*\} 0/)
      await expect.poll(async () => (await agent.rollout()).automaticRollback.armed, { timeout: 9_000 }).toBe(true)
      expect((await agent.post(path, pause)).body).toMatchObject({ armed: false })
      expect((await agent.post(path, { armed: true, reason: 'done' })).body).toMatchObject({
        armed: true,
        pausedBy: null,
      })
      await expect
        .poll(() => fetchMetrics(agent.url), { timeout: 5_000 })
        .toMatch(/sti_automatic_rollback_armed\{[^}]*\} 1/)
    })
    const events = await sql<{ message: string }[]>`
      select message from sti.operation_event where kind = 'automatic-rollback' order by id`
    expect(events.map(({ message }) => message.replace('automatic rollback ', ''))).toEqual([
      'paused',
      'paused',
      'resumed',
    ])
  })
})

function waitForIncident(rollout: () => Promise<RolloutDetail>): Promise<Incident[]> {
  return waitFor('an incident is open', async () => {
    const { incidents } = await rollout()
    return incidents.length > 0 && incidents
  })
}

async function fetchMetrics(url: string): Promise<string> {
  return await (await fetch(`${url}/metrics`)).text()
}
