import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import type { Incident, Problem, RolloutDetail, RolloutSummary } from '../../agent/src/contract/index.ts'
import { TOKENS, withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { waitFor } from '../support/waitFor.ts'
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
