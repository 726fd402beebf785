import { expect, test } from 'vitest'
import type { OperationEvent, Readiness } from '../../agent/src/contract/index.ts'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { QUIET_LOG, requestRefused } from '../support/operations.ts'
import { waitFor } from '../support/waitFor.ts'

const CONTACT = `contacts: [{ role: Lead, name: Ada, phone: '+41 1 222', escalateAfter: 5m }]\n`
const FILE = `${VEHICLES_FILE}${CONTACT}limits: { errorRatio: 0.001 }\n`
/** Everything that does not derive: a phone number, a limit, a check, a comment. */
const EDITED = `# on call since May\n${FILE.replace('222', '333').replace('0.001', '0.002')}checks: [{ name: named, violations: "select id from vehicles where name = ''" }]\n`

async function toEnabled(agent: TestAgent): Promise<void> {
  for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await agent.run(kind)
  await agent.run('flag', { enabled: true })
}

async function fileEvents(agent: TestAgent): Promise<OperationEvent[]> {
  const { events } = await agent.get<{ events: OperationEvent[] }>('/v1/rollouts/vehicles/events')
  return events.filter(({ kind }) => kind === 'file')
}

test('everything that does not derive takes effect with the flag on, without repeating a step', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 1_000)
    await withAgent(url, FILE, toEnabled)
    await withAgent(url, EDITED, async (agent) => {
      const detail = await agent.rollout()
      expect(detail).toMatchObject({ stage: 'enabled', coverage: 1, faults: [], notes: [] })
      expect(detail.rollbackReady.filter(({ scope, ready }) => scope !== 'monitoring' && !ready)).toEqual([])
      expect(await requestRefused(agent, 'expand')).toMatch(/already exist/)
      expect((await agent.run('validation', { layers: ['business'] })).result).toMatchObject({ verdict: 'pass' })
      // The flag is off and on again, based on the validation of the earlier file.
      await agent.run('flag', { enabled: false })
      await agent.run('flag', { enabled: true })
      await waitFor('the edit is recorded', async () => (await fileEvents(agent)).length > 0)
      const [event] = await fileEvents(agent)
      expect(event!.message).toMatch(/contacts\[0\]\.phone.*No step has to be repeated/)
      expect(event).toMatchObject({
        before: { values: { 'limits.errorRatio': 0.001 } },
        after: { hash: detail.fileHash, values: { 'limits.errorRatio': 0.002 } },
        actor: { name: 'agent-1' },
      })
      expect(JSON.stringify(event)).not.toMatch(/\+41/)
      await agent.run('rollback', { scope: 'data', confirm: 'vehicles', full: true })
    })
  })
})

test('two agents with different files say so, and work on the same operations', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 1_000)
    await withAgent(url, FILE, async (first) => {
      await first.run('expand')
      await withAgent(
        url,
        EDITED,
        async (second) => {
          const sayings = async (agent: TestAgent) => ({
            status: (await agent.rollout()).notes.join('\n'),
            readiness: (await agent.get<Readiness>('/v1/rollouts/vehicles/readiness')).notes.join('\n'),
            metric: await (await fetch(`${agent.url}/metrics`)).text(),
          })
          for (const [agent, other] of [
            [first, 'agent-2'],
            [second, 'agent-1'],
          ] as const) {
            const sentence = new RegExp(`Agent ${other} uses another version .*limits\\.errorRatio.*Both continue`)
            await waitFor('both versions are seen', async () => sentence.test((await sayings(agent)).status))
            await waitFor('the metric follows', async () =>
              /^sti_rollout_file_versions\{[^}]*\} 2$/m.test((await sayings(agent)).metric),
            )
            expect((await sayings(agent)).readiness).toMatch(sentence)
          }
          await first.run('backfill')
          await second.run('validation')
          expect((await first.rollout()).stage).toBe('verified')
        },
        { name: 'agent-2' },
      )
      await waitFor('the other agent is gone', async () => (await first.rollout()).notes.length === 0, { seconds: 40 })
    })
  })
})

test('after an edit of a key that derives the type, the changes and the steps to repeat are reported, and only those steps are allowed', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 100)
    await withAgent(url, FILE, async (agent) => {
      await toEnabled(agent)
      await agent.run('flag', { enabled: false })
    })
    await withAgent(
      url,
      FILE.replace('name: Bike', 'name: Cycle'),
      async (agent) => {
        await waitFor('the edit is recorded', async () => (await fileEvents(agent)).length > 0)
        expect((await fileEvents(agent))[0]!.message).toMatch(/types\[1\]\.name\. Values that derive types changed/)
        const detail = await agent.rollout()
        expect(detail.notes.join('\n')).toMatch(
          /have changed since expand 1 \(types\[1\]\.name\): run expand, backfill, validation, and finalize again/,
        )
        const allowed = (action: string) => detail.actions.find((one) => one.action === action)!.allowed
        expect([allowed('expand'), allowed('backfill'), allowed('enable')]).toEqual([true, false, false])
        for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await agent.run(kind)
        const repeated = await agent.rollout()
        expect(repeated).toMatchObject({ stage: 'finalized', coverage: 1, notes: [] })
      },
      QUIET_LOG,
    )
  })
})
