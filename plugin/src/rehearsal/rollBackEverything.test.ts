import type { OperationRequest } from '@sti-rollout/agent/contract'
import { expect, test } from 'vitest'
import { toAgentError } from '../agent/AgentError'
import { rollBackEverything, type RollbackCalls } from './rollBackEverything'

const scopeOf = (request: OperationRequest): string => String((request.parameters as { scope: string }).scope)

function recordedCalls(changed: Partial<RollbackCalls> = {}) {
  const done: string[] = []
  const lines: string[] = []
  const calls: RollbackCalls = {
    turnFlagOff: async (request) => void done.push(`off ${scopeOf(request)}`),
    findActive: async () => null,
    preview: async (request) =>
      ({ code: scopeOf(request) === 'system' ? 'nothing-to-roll-back' : null, allowed: true, reasons: [] }) as const,
    start: async (request) => {
      done.push(JSON.stringify(request.parameters))
      return { id: done.length }
    },
    waitForEnd: async () => ({ state: 'succeeded', error: null }),
    staleClients: async () => [],
    report: (line) => void lines.push(line),
    ...changed,
  }
  return { calls, done, lines }
}
const subject = { environment: 'staging', rollout: 'vehicles', reason: 'wrong types' }

test('each scope is rolled back in order, with the name where it is required; nothing is started for what is reverted', async () => {
  const { calls, done, lines } = recordedCalls()
  await rollBackEverything(calls, subject)
  expect(done).toEqual(['off flag', '{"scope":"data","confirm":"vehicles"}', '{"scope":"monitoring"}'])
  expect(lines).toContain('system: nothing to roll back')
})

test('the first failure stops it and names the scope; the flag is off by then', async () => {
  const { calls, done } = recordedCalls({ waitForEnd: async () => ({ state: 'failed', error: 'a lock' }) })
  await expect(rollBackEverything(calls, subject)).rejects.toThrow('The rollback of the data failed: a lock')
  expect(done).toHaveLength(2)
})

test('the data wait for clients that may still read by type', async () => {
  const stale = [['app-1'], []]
  const { calls, lines, done } = recordedCalls({ staleClients: async () => stale.shift() ?? [] })
  await rollBackEverything(calls, subject)
  expect(lines).toContain('waiting for these clients to receive the flag as off: app-1')
  expect(done).toHaveLength(3)
})

test('a rollback that an earlier attempt started is followed, not started again', async () => {
  const { calls, done, lines } = recordedCalls({
    findActive: async (scope) => (scope === 'data' ? { id: 41 } : null),
  })
  await rollBackEverything(calls, subject)
  expect(done).toEqual(['off flag', '{"scope":"monitoring"}'])
  expect(lines).toContain('data: operation 41 is running')
})

test('what did not succeed is reported in its own words, also by the confirmation', async () => {
  const { calls } = recordedCalls({ waitForEnd: async () => ({ state: 'paused', error: null }) })
  const thrown = await rollBackEverything(calls, subject).catch((error: unknown) => error)
  expect(toAgentError(thrown, 'The agent', 0).message).toBe('The rollback of the data is paused.')
})
