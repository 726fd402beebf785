import { randomUUID } from 'node:crypto'
import { expect } from 'vitest'
import type { Operation, OperationRequest, Problem } from '../../agent/src/contract/index.ts'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { realTimeTest as test } from '../support/realTime.ts'
import { createVehicles, VEHICLES_FILE } from '../support/vehicles.ts'

interface Repeatable {
  readonly kind: OperationRequest['kind']
  readonly parameters: Record<string, unknown>
  readonly key: string
}

const send = (agent: TestAgent, { kind, parameters, key }: Repeatable) =>
  agent.post<Operation & Problem>(
    '/v1/rollouts/vehicles/operations',
    { kind, environment: 'staging', parameters, reason: 'test' },
    { 'idempotency-key': key },
  )

/** Runs it to its end, and then asks again with the same key, which must answer the same operation. */
async function runRepeatable(
  agent: TestAgent,
  kind: Repeatable['kind'],
  parameters: Record<string, unknown> = {},
): Promise<Repeatable> {
  const request = { kind, parameters, key: randomUUID() }
  const { body } = await send(agent, request)
  expect(await agent.waitForEnd(body.id)).toMatchObject({ state: 'succeeded', error: null })
  expect(await send(agent, request)).toMatchObject({ status: 202, body: { id: body.id, state: 'succeeded' } })
  return request
}

test('a repeated key answers its operation while the effect remains, and 409 once something has undone it', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 100)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      const superseded = async (request: Repeatable, says: RegExp): Promise<void> => {
        const { status, body } = await send(agent, request)
        expect([request.kind, status, body.code]).toEqual([request.kind, 409, 'superseded'])
        expect(body.detail).toMatch(says)
      }
      const expand = await runRepeatable(agent, 'expand')
      const backfill = await runRepeatable(agent, 'backfill')
      const validation = await runRepeatable(agent, 'validation')
      const finalize = await runRepeatable(agent, 'finalize')
      const on = await runRepeatable(agent, 'flag', { enabled: true })
      const half = await runRepeatable(agent, 'flag', { enabled: true, percentage: 50 })
      await superseded(on, /the flag was turned on for 50% since: .*send a new key/)
      const off = await runRepeatable(agent, 'flag', { enabled: false })
      await superseded(half, /the flag was turned off since/)
      await runRepeatable(agent, 'flag', { enabled: true })
      await superseded(off, /turned on since: send a new key/)
      expect((await agent.rollout()).flag.enabled).toBe(true)
      const rollback = await runRepeatable(agent, 'rollback', { scope: 'flag' })
      await runRepeatable(agent, 'flag', { enabled: true })
      await superseded(rollback, /turned on since: send a new key/)
      await agent.run('rollback', { scope: 'flag' })
      const monitoring = await runRepeatable(agent, 'monitoring', { enabled: true })
      await runRepeatable(agent, 'monitoring', { enabled: false })
      await superseded(monitoring, /has undone it since/)
      const data = await runRepeatable(agent, 'rollback', { scope: 'data', confirm: 'vehicles' })
      for (const request of [expand, backfill, finalize]) await superseded(request, /Rollback \d+ has undone it since/)
      expect(await send(agent, validation)).toMatchObject({ status: 202, body: { state: 'succeeded' } })
      await agent.run('expand')
      await superseded(data, /Expand \d+ has undone it since/)
    })
  })
})
