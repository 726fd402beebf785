import { expect } from 'vitest'
import type { Readiness } from '../../agent/src/contract/index.ts'
import { TOKENS, withAgent } from '../support/agent.ts'
import { withSti } from '../support/stiCommand.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { forceFlagOn } from './webhookMessages.ts'
import { realTimeTest as test } from '../support/realTime.ts'

test('a drill opens an incident, waits for the acknowledgement, and signs off with the measured times', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      await withSti(async (sti) => {
        const drilling = sti(agent.url, 'drill', '--reason', 'monthly')
        await expect
          .poll(async () => (await sti(agent.url, 'incidents', '--open')).out, { timeout: 10_000 })
          .toContain('StiDrill')
        expect((await sti(agent.url, 'drill')).code).toBe(3)
        const [{ id } = { id: 0 }] = (await agent.rollout()).incidents
        expect((await agent.rollout()).openIncidents).toBe(0)
        const bob = { authorization: `Bearer ${TOKENS.bob}` }
        await agent.post(`/v1/incidents/${id}/acknowledge`, { note: 'here' }, bob)
        const { code, out } = await drilling
        expect(code).toBe(0)
        expect(out).toContain('acknowledged by bob after')
        expect(out).toContain('severity critical (limit 5 min); this agent has received no watchdog alert')
        const { items } = await agent.get<Readiness>('/v1/rollouts/vehicles/readiness')
        const procedure = items.find(({ item }) => item === 'alert-procedure')!
        expect(procedure).toMatchObject({ state: 'ready', attestation: { by: { name: 'bob' } } })
        expect(procedure.attestation!.note).toContain('acknowledged by bob after')
        expect((await sti(agent.url, 'incidents', 'resolve', String(id))).code).toBe(3)

        // Without --roll-back-flag the flag stays on.
        await forceFlagOn(agent)
        const second = sti(agent.url, 'drill', '--timeout', '1')
        expect((await second).code).toBe(1)
        expect((await agent.rollout()).flag.enabled).toBe(true)
        const [open] = (await agent.rollout()).incidents
        expect((await sti(agent.url, 'incidents', 'acknowledge', String(open!.id), '--note', 'late')).out).toContain(
          'is closed. Acknowledged by ann',
        )
        // Whoever starts a drill and acknowledges it has tested nobody: the sign-off remains that of bob's answer.
        const closed = (await agent.rollout()).incidents.find((incident) => incident.id === open!.id)
        expect(closed!.closedNote).toContain('ann (who started it, so that it does not count as tested)')
        const signedOff = (await agent.get<Readiness>('/v1/rollouts/vehicles/readiness')).items.find(
          ({ item }) => item === 'alert-procedure',
        )
        expect(signedOff!.attestation).toEqual(procedure.attestation)
        const third = sti(agent.url, 'drill', '--roll-back-flag')
        await expect.poll(async () => (await agent.rollout()).incidents[0]!.state, { timeout: 9_000 }).toBe('open')
        const { flag, incidents } = await agent.rollout()
        expect(flag.enabled).toBe(false)
        const [last] = incidents
        await sti(agent.url, 'incidents', 'acknowledge', String(last!.id))
        expect((await third).out).toContain('the flag was turned off')
        expect((await sti(agent.url, 'drill', '--roll-back-flag')).err).toContain('The flag is off')

        expect((await sti(agent.url, 'automatic-rollback')).out).toContain('armed for: flag')
        expect((await sti(agent.url, 'automatic-rollback', 'pause')).code).toBe(2)
        const paused = await sti(agent.url, 'automatic-rollback', 'pause', '--for', '2h', '--reason', 'load test')
        expect(paused.out).toMatch(/paused until .* UTC by ann: load test/)
        const resumed = await sti(agent.url, 'automatic-rollback', 'resume', '--reason', 'over')
        expect(resumed.out).toContain('armed for: flag')
      })
    })
  })
})
