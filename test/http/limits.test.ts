import { expect, test } from 'vitest'
import type { Operation, Problem } from '../../agent/src/contract/index.ts'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'

const FILE = `${VEHICLES_FILE}signals: [{ name: queue, sql: select 5, limit: 4 }]
throttle: { walBytesPerSecond: 1000000000 }
`

test('limits are merged by name, null removes an override, and only an admin can exceed the limit of the file', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 500)
    await withAgent(url, FILE, async (agent) => {
      await agent.run('expand')
      // The backfill waits for its custom signal from the beginning.
      const { id } = await agent.request('backfill', { workers: 2, limits: { lockWaiters: { abort: 9 } } })
      const limitsNow = async (patch: object, token = TOKENS.ann): Promise<unknown> => {
        const { status, body } = await tuneOperation(agent, id, patch, token)
        expect(body, JSON.stringify(body)).toMatchObject({ kind: 'backfill' })
        expect(status).toBe(202)
        return (body as unknown as Operation).parameters['limits']
      }
      expect(await limitsNow({ niceRatio: 0.5 })).toEqual({ lockWaiters: { abort: 9 } })
      expect(await limitsNow({ limits: { connectionsRatio: 0.5, signals: { queue: 3 } } }, TOKENS.bob)).toEqual({
        lockWaiters: { abort: 9 },
        connectionsRatio: 0.5,
        signals: { queue: 3 },
      })
      expect(await limitsNow({ limits: { lockWaiters: null, signals: { queue: null } } }, TOKENS.bob)).toEqual({
        connectionsRatio: 0.5,
        signals: {},
      })

      const loose = await tuneOperation(
        agent,
        id,
        { limits: { lockWaiters: 1, signals: { queue: 'none' } } },
        TOKENS.bob,
      )
      expect(loose).toMatchObject({ status: 403, body: { code: 'forbidden' } })
      expect(loose.body.detail).toMatch(
        /^The request loosens lockWaiters, signals.queue beyond .* requires the level admin/,
      )
      const unheard = await tuneOperation(agent, id, { limits: { signals: { depth: 1 } } }, TOKENS.ann)
      expect(unheard.body.reasons).toEqual(['parameters.limits.signals: name one of queue'])
      for (const patch of [
        { limits: { lockWaiters: -1 } },
        { limits: { walBytesPerSecond: { pace: 2, pause: 1 } } },
        { limits: { unheard: 1 } },
        { workers: 33 },
        { niceRatio: 101 },
        { checkpointInterval: 5 },
      ]) {
        expect((await tuneOperation(agent, id, patch, TOKENS.ann)).status, JSON.stringify(patch)).toBe(422)
      }
      expect(await limitsNow({ limits: { signals: { queue: 'none' } }, workers: 3 })).toEqual({
        connectionsRatio: 0.5,
        signals: { queue: 'none' },
      })
      expect(await agent.waitForEnd(id)).toMatchObject({
        state: 'succeeded',
        parameters: { workers: 3, niceRatio: 0.5 },
      })

      const body = { kind: 'backfill', environment: 'staging', parameters: { limits: { connectionsRatio: 1 } } }
      const started = await fetch(`${agent.url}/v1/rollouts/vehicles/operations`, requestInit('POST', body, TOKENS.bob))
      expect(((await started.json()) as Problem).detail).toMatch(/^The request loosens connectionsRatio/)
    })
  })
})

async function tuneOperation(agent: TestAgent, id: number, patch: object, token: string) {
  const answer = await fetch(`${agent.url}/v1/operations/${id}`, requestInit('PATCH', patch, token))
  return { status: answer.status, body: (await answer.json()) as Problem }
}

function requestInit(method: string, body: object, token: string): RequestInit {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  return { method, headers, body: JSON.stringify(body) }
}
