import type { AgentStatus } from '@sti-rollout/agent/contract'
import { expect, test } from 'vitest'
import { AgentError } from '../agent/AgentError'
import { describeFailures, tokenStep } from './checkAgentConnection'

const status = (level: string, mayAct = true) => ({ you: { level, mayAct, name: 'ada', why: null } }) as AgentStatus

test('a token is accepted only for its own level: swapped tokens are named', () => {
  expect(tokenStep('editor', status('editor')).state).toBe('ok')
  // Without an identity the agent lets everyone read, whatever the token.
  expect(tokenStep('admin', status('viewer', false)).state).toBe('ok')
  expect(tokenStep('viewer', status('admin'))).toMatchObject({
    state: 'broken',
    detail: 'This is the agent’s token for admins. Enter its token for viewers; two tokens may be swapped.',
  })
  expect(tokenStep('admin', status('viewer')).state).toBe('broken')
  expect(tokenStep('viewer', new AgentError('x', 'token', 401)).detail).toContain('The agent refused it')
})

test('every failed step is named with its reason; warnings and steps that were not checked are no failures', () => {
  const step = (name: string, state: 'ok' | 'warning' | 'broken' | 'unknown', detail: string) => ({
    name,
    state,
    detail,
  })
  expect(describeFailures([step('Contract', 'ok', 'version 1.0'), step('Environment', 'warning', 'x')])).toBe('')
  expect(
    describeFailures([
      step('Token for viewers', 'broken', 'The agent refused it.'),
      step('Contract', 'unknown', 'not checked'),
      step('Agent → PostgreSQL', 'broken', 'connection refused'),
    ]),
  ).toBe('Token for viewers: The agent refused it. Agent → PostgreSQL: connection refused.')
})
