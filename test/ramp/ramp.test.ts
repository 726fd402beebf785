import { setTimeout as sleep } from 'node:timers/promises'
import type postgres from 'postgres'
import { expect } from 'vitest'
import type { FlagStatus, Operation, OperationEvent, Problem } from '../../agent/src/contract/index.ts'
import { readEventMessages, readOperation, QUIET_LOG, requestRefused, controlOperation } from '../support/operations.ts'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { startFlagClient } from './flagClient.ts'
import { waitFor } from '../support/waitFor.ts'
import { realTimeTest as test } from '../support/realTime.ts'

const FILE = VEHICLES_FILE.replace('{ key: vehicles-sti }', '{ key: vehicles-sti, ramp: [25, 100], hold: 1s }')
const RAMP = { enabled: true, ramp: true }

/** Two agents of one database, covered and finalized, both with flag clients. */
async function withTwoAgents(
  work: (first: TestAgent, second: TestAgent, sql: postgres.Sql) => Promise<void>,
): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 2_000)
    await withAgent(
      url,
      FILE,
      (first) =>
        withAgent(
          url,
          FILE,
          async (second) => {
            const clients = [startFlagClient(first.url, 'client-1'), startFlagClient(second.url, 'client-2')]
            try {
              for (const kind of ['expand', 'backfill', 'validation', 'finalize', 'validation'] as const)
                await first.run(kind)
              for (const agent of [first, second])
                await waitFor('both clients are known', async () => (await readFlag(agent)).clients.length === 2)
              await work(first, second, sql)
            } finally {
              clients.forEach((client) => client.stop())
            }
          },
          { name: 'agent-2', ...QUIET_LOG },
        ),
      QUIET_LOG,
    )
  })
}

const readFlag = async (agent: TestAgent): Promise<FlagStatus> => (await agent.rollout()).flag

/** The agent that sets the flag serves it immediately, the other one within two seconds. */
const waitForPercentage = (agent: TestAgent, percentage: number): Promise<boolean> =>
  waitFor(`on for ${percentage}%`, async () => (await readFlag(agent)).percentage === percentage)

const waitForStep = (agent: TestAgent, id: number, step: number): Promise<Operation> =>
  waitFor(`step ${step}`, async () => {
    const operation = await readOperation(agent, id)
    if (operation.endedAt !== null) throw new Error(`it has ended: ${operation.state} ${operation.error}`)
    return operation.progress?.ramp?.step === step && operation
  })

test('a ramp reaches 100% if every step passes; turning the flag off through any agent ends it', async () => {
  await withTwoAgents(async (first, second) => {
    const asked = await first.request('flag', RAMP)
    expect(asked).toMatchObject({ kind: 'flag', state: 'queued', parameters: { steps: [25, 100], holdSeconds: 1 } })
    await waitForStep(first, asked.id, 1)
    await waitForPercentage(first, 25)
    expect((await first.rollout()).stage).toBe('ramping')
    expect(await requestRefused(first, 'flag', RAMP)).toMatch(/Ramp \d+ is running: resume or cancel it/)
    expect(await first.waitForEnd(asked.id)).toMatchObject({
      state: 'succeeded',
      result: { percentage: 100, steps: [25, 100] },
      progress: { ratio: 1, ramp: { step: 2, percentage: 100, heldSeconds: 1, verdict: 'pass', why: [] } },
    })
    await waitForPercentage(first, 100)
    expect((await first.rollout()).stage).toBe('enabled')
    expect((await readEventMessages(first, asked.id)).filter((message) => message.startsWith('Step'))).toEqual([
      'Step 1 of 2, 25%: pass',
      'Step 2 of 2, 100%: pass',
    ])
    // Each step is a separate change by the actor of the ramp.
    const { events } = await first.get<{ events: OperationEvent[] }>('/v1/rollouts/vehicles/events')
    const changes = events.filter(({ kind }) => kind === 'flag')
    expect(changes.map(({ actor, reason, message }) => `${actor.name}: ${message} ${reason}`)).toEqual([
      `ann: The flag was turned on for 25%. ramp ${asked.id}, step 1 of 2: test`,
      `ann: The flag was turned on for 100%. ramp ${asked.id}, step 2 of 2: test`,
    ])
    expect(await requestRefused(first, 'flag', RAMP)).toMatch(/on for 100%: no step is left/)

    for (const [through, kind] of [
      [first, 'flag'],
      [second, 'rollback'],
    ] as const) {
      await first.run('flag', { enabled: false })
      const { id } = await first.request('flag', RAMP)
      await waitForStep(first, id, 1)
      const off = kind === 'flag' ? { enabled: false } : { scope: 'flag' }
      const bob = { authorization: `Bearer ${TOKENS.bob}` }
      const body = { kind, environment: 'staging', parameters: off, reason: 'metrics look odd' }
      expect((await through.post('/v1/rollouts/vehicles/operations', body, bob)).status).toBe(202)
      const ended = await first.waitForEnd(id)
      expect(ended).toMatchObject({ state: 'failed', errorCode: 'flag-changed' })
      expect(ended.error).toBe(
        'bob turned the flag off (metrics look odd). The ramp has ended and will not change the flag again.',
      )
      await sleep(1_200)
      expect(await readFlag(first)).toMatchObject({ enabled: false, percentage: 0 })
    }
    await first.run('validation')

    // A paused ramp keeps its percentage, and so does a cancelled one. Turning the flag off ends a paused ramp.
    const { id } = await first.request('flag', RAMP)
    await waitForStep(first, id, 1)
    await controlOperation(first, id, 'pause')
    expect(await first.waitForEnd(id)).toMatchObject({ state: 'paused', error: null })
    await waitForPercentage(first, 25)
    await first.run('flag', { enabled: false })
    await waitFor('it has ended', async () => (await readOperation(first, id)).state === 'cancelled')
    expect((await readOperation(first, id)).error).toBe(
      'ann turned the flag off (test). The ramp has ended and will not change the flag again.',
    )
    const next = await first.request('flag', RAMP)
    await waitForStep(first, next.id, 1)
    await controlOperation(first, next.id, 'cancel')
    expect((await first.waitForEnd(next.id)).state).toBe('cancelled')
    expect(await readEventMessages(first, next.id)).toContain('The flag stays on for 25%.')
    await waitForPercentage(first, 25)
    // The ramp continues from there and never goes down.
    const last = await first.run('flag', RAMP)
    expect(last.result).toMatchObject({ steps: [25, 100] })
  })
})

test('a ramp holds its step while the checks are inconclusive, then pauses; a failed step turns the flag off', async () => {
  await withTwoAgents(async (first, second, sql) => {
    expect((await first.post<Problem>('/v1/rollouts/vehicles/operations', request({ force: true }))).status).toBe(422)
    const { id } = await first.request('flag', RAMP)
    await waitForStep(first, id, 1)
    const [index] = await sql<{ definition: string }[]>`
      select pg_get_indexdef('public.sti_vehicles_type_idx'::regclass) as definition`
    await sql.unsafe('drop index public.sti_vehicles_type_idx')
    const held = await waitFor('it reports what it waits for', async () => {
      const operation = await readOperation(first, id)
      return operation.progress?.ramp?.verdict === 'inconclusive' && operation
    })
    expect(held).toMatchObject({
      state: 'running',
      progress: { throttled: expect.stringMatching(/Finalize is incomplete/) as string },
    })
    const stands = await first.waitForEnd(id)
    expect(stands).toMatchObject({ state: 'paused', errorCode: 'trouble' })
    expect(stands.error).toMatch(/^The step at 25% was inconclusive 3 times: gate: Finalize is incomplete/)
    await waitForPercentage(second, 25)
    await sql.unsafe(index!.definition)
    await controlOperation(first, id, 'resume')
    expect(await waitFor('it resumes', async () => (await readOperation(first, id)).state === 'succeeded')).toBe(true)

    await first.run('flag', { enabled: false })
    await setAutomaticRollback(first, { armed: false, reason: 'a load test' })
    const bad = await first.request('flag', RAMP)
    await waitForStep(first, bad.id, 1)
    await sql.unsafe(`
      alter table public.vehicles disable trigger "~sti_derive";
      update public.vehicles set type = 'Bike' where is_truck and id < 50;
      alter table public.vehicles enable always trigger "~sti_derive"`)
    // While automatic rollback is paused, the ramp waits and names who paused it. After the resume, it turns the flag
    // off.
    const standing = await first.waitForEnd(bad.id)
    expect(standing).toMatchObject({ state: 'paused', errorCode: 'trouble' })
    expect(standing.error).toMatch(/^The step at 25% failed .* ann paused automatic rollback until .*\(a load test\)/)
    await waitForPercentage(first, 25)
    await setAutomaticRollback(first, { armed: true, reason: 'it has ended' })
    await controlOperation(first, bad.id, 'resume')
    await waitFor('it ends', async () => (await readOperation(first, bad.id)).endedAt !== null)
    const failed = await readOperation(first, bad.id)
    expect(failed).toMatchObject({ state: 'failed', errorCode: 'ramp-failed' })
    expect(failed.error).toMatch(/^The step at 25% failed, and the flag was turned off: /)
    expect(failed.error).toMatch(/new-rows|dual-write/)
    // If the other agent turned it off, this one reads that within two seconds.
    await waitFor('it is off', async () => (await first.rollout()).stage === 'rolled-back')
    expect(await readFlag(first)).toMatchObject({ enabled: false })
    const { operations } = await first.get<{ operations: Operation[] }>('/v1/operations')
    expect(operations[0]).toMatchObject({ kind: 'rollback', parameters: { scope: 'flag' }, actor: { via: 'agent' } })
    expect(operations[0]!.reason).toMatch(new RegExp(`^ramp ${bad.id} failed at 25%`))
  })
})

const request = (parameters: object): object => ({
  kind: 'flag',
  environment: 'staging',
  parameters: { ...RAMP, ...parameters },
})

async function setAutomaticRollback(agent: TestAgent, wanted: { armed: boolean; reason: string }): Promise<void> {
  const { status } = await agent.post('/v1/rollouts/vehicles/automatic-rollback', wanted)
  expect(status).toBe(200)
}
