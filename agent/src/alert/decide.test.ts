import { expect, test } from 'vitest'
import { decide, FRESH_MS, SKEW_MS, type Act, type Asked, type Situation } from './decide.ts'
import { RULES } from './rules.ts'

const NOW = Date.parse('2026-03-01T10:00:00Z')
const rule = (name: keyof typeof RULES): Asked['rule'] => ({ name, ...RULES[name] })
const ASKED: Asked = {
  by: 'alert',
  rule: rule('StiApiErrorsHigh'),
  status: 'firing',
  unevaluated: null,
  environment: 'staging',
  scope: 'flag',
  change: 'flag-12',
  startedAt: NOW - 5_000,
  over: false,
}
const unhealthy = { state: 'unhealthy', sentence: '12 of 300 requests failed.' } as const
const SITUATION: Situation = {
  now: NOW,
  environment: 'staging',
  rollout: 'known',
  underWay: 'flag-12',
  reading: unhealthy,
  scopes: ['flag'],
  editorScopes: ['flag', 'monitoring'],
  armed: true,
  held: null,
  rolledBack: () => false,
}
const unknown = { state: 'unknown', sentence: 'too few requests' } as const
const healthy = { state: 'healthy', sentence: '0 of 300 requests failed.' } as const
const old = { startedAt: NOW - FRESH_MS - 1 }

/** What is different from an alert that rolls back, what is decided, and a piece of the reason. */
const table: [string, Partial<Asked>, Partial<Situation>, Act, RegExp][] = [
  ['an alert that the agent reads too', {}, {}, 'roll-back', /StiApiErrorsHigh fires about flag-12/],
  ['a backfill', { change: 'backfill-7' }, { underWay: 'backfill-7' }, 'roll-back', /fires/],
  ['the reading is unknown and it is fresh', {}, { reading: unknown }, 'roll-back', /fires/],
  ['the agent has no reading and it is fresh', {}, { reading: null }, 'roll-back', /fires/],
  ['a re-send of an old one that still is so', { ...old, over: true }, {}, 'roll-back', /fires/],
  ['the guard', { by: 'guard', scope: null }, {}, 'roll-back', /agent itself reads: 12 of 300/],
  ['the guard, of what no editor may', { by: 'guard', scope: null }, { editorScopes: [] }, 'roll-back', /reads/],

  ['resolved', { status: 'resolved' }, {}, 'record', /resolved/],
  ['NoData', { unevaluated: 'NoData' }, {}, 'record', /could not be evaluated \(NoData\)/],
  ['Error', { unevaluated: 'Error' }, {}, 'record', /could not be evaluated \(Error\)/],
  ['a test, or any other rule', { rule: null }, {}, 'record', /no rule of ours/],
  ['another environment', { environment: 'production' }, {}, 'record', /of production/],
  ['no environment', { environment: null }, {}, 'record', /no label environment/],
  ['another rollout', {}, { rollout: 'unknown' }, 'record', /does not have/],
  ['from the future', { startedAt: NOW + SKEW_MS + 1 }, {}, 'record', /future/],
  ['info', { rule: rule('StiFlagChanged') }, {}, 'record', /people/],
  ['the watchdog', { rule: rule('StiWatchdog') }, {}, 'record', /people/],
  ['an alert about an incident', { rule: rule('StiIncidentOpen') }, {}, 'record', /people/],

  ['the agent reads the opposite', {}, { reading: healthy }, 'incident', /all is well: 0 of 300/],
  ['old, and the reading is unknown', old, { reading: unknown }, 'incident', /began 5 minutes ago/],
  ['old, and there is no reading', old, { reading: null }, 'incident', /began 5 minutes ago/],
  ['over, and the reading is unknown', { over: true }, { reading: unknown }, 'incident', /seen resolved/],
  ['held', {}, { armed: false, held: 'ann until 11:00' }, 'incident', /held: ann until 11:00/],
  ['whether held is not known', {}, { armed: null }, 'incident', /not known/],
  ['rolled back before', {}, { rolledBack: (change) => change === 'flag-12' }, 'incident', /already/],
  ['nothing is under way', {}, { underWay: null }, 'incident', /nothing to roll back/],
  ['an earlier change', { change: 'flag-11' }, {}, 'incident', /about flag-11, and what is under way is flag-12/],
  ['no change', { change: null }, {}, 'incident', /no change that it names/],
  ['the file forbids it', {}, { scopes: [] }, 'incident', /automaticRollback/],
  ['no editor may', {}, { editorScopes: [] }, 'incident', /needs more than the level editor/],
  ['a forged scope', { scope: 'data' }, { scopes: ['flag', 'data'] }, 'incident', /sti_rollback is data/],
  ['without a scope', { scope: null }, {}, 'incident', /sti_rollback is missing/],
  ['a forged scope on a rule that has none', { rule: rule('StiAgentDown') }, {}, 'incident', /nothing back by itself/],
  ['a warning', { rule: rule('StiHostUsageHigh'), scope: null }, { rollout: null }, 'incident', /nothing back/],
  ['the guard, held', { by: 'guard', scope: null }, { armed: false, held: 'ann' }, 'incident', /held/],
]

test.each(table)('%s', (_, asked, situation, act, reason) => {
  const decision = decide({ ...ASKED, ...asked }, { ...SITUATION, ...situation })
  expect(decision.act).toBe(act)
  expect(decision.reasons.join(' ')).toMatch(reason)
  expect(decision.scope).toBe(act === 'roll-back' ? 'flag' : null)
})

test('all that speaks against it is said, not only the first', () => {
  const { reasons } = decide({ ...ASKED, change: 'flag-1' }, { ...SITUATION, armed: false, reading: healthy })
  expect(reasons).toHaveLength(3)
})
