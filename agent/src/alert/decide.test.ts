import { expect, test } from 'vitest'
import {
  decide,
  MAX_ALERT_AGE_MS,
  MAX_CLOCK_SKEW_MS,
  type DecisionAction,
  type DecisionRequest,
  type DecisionContext,
} from './decide.ts'
import { ALERT_RULES } from './alertRules.ts'

const NOW = Date.parse('2026-03-01T10:00:00Z')
const rule = (name: keyof typeof ALERT_RULES): DecisionRequest['rule'] => ({ name, ...ALERT_RULES[name] })
const REQUEST: DecisionRequest = {
  source: 'alert',
  rule: rule('StiApiErrorsHigh'),
  status: 'firing',
  evaluationFailure: null,
  environment: 'staging',
  scope: 'flag',
  change: 'flag-12',
  startedAt: NOW - 5_000,
  seenResolved: false,
}
const unhealthy = { state: 'unhealthy', sentence: '12 of 300 requests failed.' } as const
const CONTEXT: DecisionContext = {
  now: NOW,
  environment: 'staging',
  rollout: 'known',
  activeChange: 'flag-12',
  reading: unhealthy,
  automaticScopes: ['flag'],
  editorScopes: ['flag', 'monitoring'],
  armed: true,
  holdDescription: null,
  rolledBack: () => false,
}
const unknown = { state: 'unknown', sentence: 'too few requests' } as const
const healthy = { state: 'healthy', sentence: '0 of 300 requests failed.' } as const
const old = { startedAt: NOW - MAX_ALERT_AGE_MS - 1 }

/** What is different from an alert that rolls back, what is decided, and a piece of the reason. */
const cases: [string, Partial<DecisionRequest>, Partial<DecisionContext>, DecisionAction, RegExp][] = [
  ['an alert that the agent reads too', {}, {}, 'roll-back', /StiApiErrorsHigh fires about flag-12/],
  ['a backfill', { change: 'backfill-7' }, { activeChange: 'backfill-7' }, 'roll-back', /fires/],
  ['the reading is unknown and it is fresh', {}, { reading: unknown }, 'roll-back', /fires/],
  ['the agent has no reading and it is fresh', {}, { reading: null }, 'roll-back', /fires/],
  ['a re-send of an old one that still is so', { ...old, seenResolved: true }, {}, 'roll-back', /fires/],
  ['the guard', { source: 'guard', scope: null }, {}, 'roll-back', /agent itself reads: 12 of 300/],
  ['the guard, of what no editor may', { source: 'guard', scope: null }, { editorScopes: [] }, 'roll-back', /reads/],

  ['resolved', { status: 'resolved' }, {}, 'record', /resolved/],
  ['NoData', { evaluationFailure: 'NoData' }, {}, 'record', /could not be evaluated \(NoData\)/],
  ['Error', { evaluationFailure: 'Error' }, {}, 'record', /could not be evaluated \(Error\)/],
  ['a test, or any other rule', { rule: null }, {}, 'record', /no rule of ours/],
  ['another environment', { environment: 'production' }, {}, 'record', /of production/],
  ['no environment', { environment: null }, {}, 'record', /no label environment/],
  ['another rollout', {}, { rollout: 'unknown' }, 'record', /does not have/],
  ['from the future', { startedAt: NOW + MAX_CLOCK_SKEW_MS + 1 }, {}, 'record', /future/],
  ['info', { rule: rule('StiFlagChanged') }, {}, 'record', /people/],
  ['the watchdog', { rule: rule('StiWatchdog') }, {}, 'record', /people/],
  ['an alert about an incident', { rule: rule('StiIncidentOpen') }, {}, 'record', /people/],

  ['the agent reads the opposite', {}, { reading: healthy }, 'incident', /all is well: 0 of 300/],
  ['old, and the reading is unknown', old, { reading: unknown }, 'incident', /began 5 minutes ago/],
  ['old, and there is no reading', old, { reading: null }, 'incident', /began 5 minutes ago/],
  ['over, and the reading is unknown', { seenResolved: true }, { reading: unknown }, 'incident', /seen resolved/],
  ['held', {}, { armed: false, holdDescription: 'ann until 11:00' }, 'incident', /held: ann until 11:00/],
  ['whether held is not known', {}, { armed: null }, 'incident', /not known/],
  ['rolled back before', {}, { rolledBack: (change) => change === 'flag-12' }, 'incident', /already/],
  ['nothing is under way', {}, { activeChange: null }, 'incident', /nothing to roll back/],
  ['an earlier change', { change: 'flag-11' }, {}, 'incident', /about flag-11, and what is under way is flag-12/],
  ['no change', { change: null }, {}, 'incident', /no change that it names/],
  ['the file forbids it', {}, { automaticScopes: [] }, 'incident', /automaticRollback/],
  ['no editor may', {}, { editorScopes: [] }, 'incident', /needs more than the level editor/],
  ['a forged scope', { scope: 'data' }, { automaticScopes: ['flag', 'data'] }, 'incident', /sti_rollback is data/],
  ['without a scope', { scope: null }, {}, 'incident', /sti_rollback is missing/],
  ['a forged scope on a rule that has none', { rule: rule('StiAgentDown') }, {}, 'incident', /nothing back by itself/],
  ['a warning', { rule: rule('StiHostUsageHigh'), scope: null }, { rollout: null }, 'incident', /nothing back/],
  ['the guard, held', { source: 'guard', scope: null }, { armed: false, holdDescription: 'ann' }, 'incident', /held/],
]

test.each(cases)('%s', (_, asked, situation, act, reason) => {
  const decision = decide({ ...REQUEST, ...asked }, { ...CONTEXT, ...situation })
  expect(decision.action).toBe(act)
  expect(decision.reasons.join(' ')).toMatch(reason)
  expect(decision.scope).toBe(act === 'roll-back' ? 'flag' : null)
})

test('all that speaks against it is said, not only the first', () => {
  const { reasons } = decide({ ...REQUEST, change: 'flag-1' }, { ...CONTEXT, armed: false, reading: healthy })
  expect(reasons).toHaveLength(3)
})
