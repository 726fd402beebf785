import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { toAgentError } from './AgentError'
import { toLocalTimes } from './localTimes'

beforeEach(() => {
  vi.stubEnv('TZ', 'America/New_York')
  vi.useFakeTimers({ now: new Date('2026-11-30T03:30:00Z') })
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
})

test('sentences of the agent have local times; instants, files, and texts of people stay', () => {
  const answer = {
    at: '2026-11-30T03:27:02.327Z',
    checks: [
      { evidence: 'the flag was off at 2026-11-30T03:27:02.327Z', findings: ['api, seen at 2026-11-29T03:00:00Z'] },
    ],
    next: { step: 'flag', sentence: 'Wait until 2026-12-07T05:00:00.000Z.', blockedBy: [] },
    last: { parameters: { reason: 'the deploy of 2026-11-30T03:00:00Z' } },
    migration: { up: "select '2026-11-30T03:00:00Z'" },
  }
  expect(toLocalTimes(answer)).toEqual({
    ...answer,
    checks: [{ evidence: 'the flag was off at 22:27:02', findings: ['api, seen at 2026-11-28 22:00:00'] }],
    next: { step: 'flag', sentence: 'Wait until 2026-12-07 00:00:00.', blockedBy: [] },
  })
})

test('a refusal has local times', () => {
  const problem = { code: 'conflict', detail: 'Incident 3 was closed by ada at 2026-11-30T03:27:02.327Z.' }
  expect(toAgentError({ status: 409, data: problem }, 'STI staging', 3000).message).toBe(
    'Incident 3 was closed by ada at 22:27:02.',
  )
})
