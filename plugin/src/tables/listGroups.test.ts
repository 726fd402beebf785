import { expect, test } from 'vitest'
import type { AgentRollouts } from '../rollout/rolloutRows'
import { listGroups } from './listGroups'

const report = (uid: string, database: string | null, groups?: string[], error = false): AgentRollouts =>
  ({
    agent: { uid },
    answer: { status: { environment: 'eu', production: false, database, groups }, list: [] },
    error: error ? new Error() : null,
    failingSince: null,
  }) as unknown as AgentRollouts

test('two agents of one database are one row, of the agent that answers; an agent of an earlier version has none', () => {
  const agents = [
    report('a', 'one', ['vehicles'], true),
    report('b', 'one', ['vehicles']),
    report('c', 'two'),
    report('d', 'two', ['vehicles', 'orders']),
  ]
  expect(listGroups(agents, '').map(({ agent, rollout }) => `${agent.uid} ${rollout}`)).toEqual([
    'b vehicles',
    'd vehicles',
    'd orders',
  ])
  expect(listGroups(agents, 'ORD').map(({ rollout }) => rollout)).toEqual(['orders'])
})
