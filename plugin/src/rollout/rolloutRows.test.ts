import type { AgentStatus, RolloutSummary } from '@sti-rollout/agent/contract'
import { expect, test } from 'vitest'
import { AgentError } from '../agent/AgentError'
import { type AgentRollouts, mergeRollouts } from './rolloutRows'

const summary = (at: string) => ({ rollout: 'vehicles', at: `2026-03-01T12:00:${at}.000Z` }) as RolloutSummary
const agent = (uid: string, expected: string | null) => ({ uid, name: `STI ${uid}`, expected })
const known = (
  uid: string,
  database: string | null,
  { at = '00', error = null as AgentError | null, environment = 'production' } = {},
): AgentRollouts => ({
  agent: agent(uid, environment),
  answer: { status: { environment, production: true, database } as AgentStatus, list: [summary(at)] },
  error,
  failingSince: error && new Date(),
})
const silent = (uid: string, expected: string | null): AgentRollouts => ({
  agent: agent(uid, expected),
  answer: null,
  error: new AgentError('gone', 'network', 502),
  failingSince: new Date(),
})
const gone = new AgentError('gone', 'network', 502)

test.each<[string, AgentRollouts[], string[]]>([
  ['two agents of one database are one row', [known('a', 'x'), known('b', 'x')], ['a,b']],
  ['the newest answer comes first', [known('a', 'x'), known('b', 'x', { at: '05' })], ['b,a']],
  [
    'an agent that answers comes before one that did',
    [known('a', 'x', { at: '05', error: gone }), known('b', 'x')],
    ['b,a'],
  ],
  ['two databases with the same environment are two rows', [known('a', 'x'), known('b', 'y')], ['a', 'b']],
  [
    'a copy of a database in another environment is a row',
    [known('a', 'x'), known('b', 'x', { environment: 'dev' })],
    ['a', 'b'],
  ],
  ['an agent without a database has the only one', [known('a', null), known('b', 'x')], ['a,b']],
  ['it has none of several', [known('a', null), known('b', 'x'), known('c', 'y')], ['a', 'b', 'c']],
  ['agents that report no database share their environment', [known('a', null), known('b', null)], ['a,b']],
  ['a silent agent belongs to the only database', [known('a', 'x'), silent('b', 'production')], ['a,b']],
  [
    'a silent agent belongs to none of several',
    [known('a', 'x'), known('b', 'y'), silent('c', 'production')],
    ['a', 'b'],
  ],
  ['a silent agent of an unknown environment is in no row', [known('a', 'x'), silent('b', null)], ['a']],
])('%s', (_, agents, expected) => {
  expect(mergeRollouts(agents).map((row) => row.agents.map(({ uid }) => uid).join())).toEqual(expected)
})

test('a row does not answer only if none of its agents does', () => {
  expect(mergeRollouts([known('a', 'x', { error: gone }), known('b', 'x')])).toMatchObject([{ error: null }])
  expect(mergeRollouts([known('a', 'x', { error: gone })])).toMatchObject([{ error: { message: 'gone' } }])
})
