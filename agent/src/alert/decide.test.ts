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
  pauseDescription: null,
  validationRemark: null,
  rolledBack: () => false,
}
const unknown = { state: 'unknown', sentence: 'too few requests' } as const
const healthy = { state: 'healthy', sentence: '0 of 300 requests failed.' } as const
const old = { startedAt: NOW - MAX_ALERT_AGE_MS - 1 }

/** The difference from an alert that rolls back, the decision, and a part of its reasons. */
const cases: [string, Partial<DecisionRequest>, Partial<DecisionContext>, DecisionAction, RegExp][] = [
  ['the agent reads the same', {}, {}, 'roll-back', /StiApiErrorsHigh fires for flag-12/],
  ['a backfill', { change: 'backfill-7' }, { activeChange: 'backfill-7' }, 'roll-back', /fires/],
  ['a new alert, unknown reading', {}, { reading: unknown }, 'roll-back', /fires/],
  ['a new alert, no reading', {}, { reading: null }, 'roll-back', /fires/],
  ['an old alert, re-sent, that the agent confirms', { ...old, seenResolved: true }, {}, 'roll-back', /fires/],
  ['the guard', { source: 'guard', scope: null }, {}, 'roll-back', /own reading is unhealthy: 12 of 300/],
  [
    'the guard, for a scope no editor may roll back',
    { source: 'guard', scope: null },
    { editorScopes: [] },
    'roll-back',
    /own reading/,
  ],

  ['resolved', { status: 'resolved' }, {}, 'record', /resolved/],
  ['NoData', { evaluationFailure: 'NoData' }, {}, 'record', /could not be evaluated \(NoData\)/],
  ['Error', { evaluationFailure: 'Error' }, {}, 'record', /could not be evaluated \(Error\)/],
  ['a test, or any other rule', { rule: null }, {}, 'record', /any STI rule/],
  ['another environment', { environment: 'production' }, {}, 'record', /environment production/],
  ['no environment', { environment: null }, {}, 'record', /no environment label/],
  ['another rollout', {}, { rollout: 'unknown' }, 'record', /does not have/],
  ['from the future', { startedAt: NOW + MAX_CLOCK_SKEW_MS + 1 }, {}, 'record', /future/],
  ['info', { rule: rule('StiFlagChanged') }, {}, 'incident', /does not trigger an automatic rollback/],
  ['the watchdog', { rule: rule('StiWatchdog') }, {}, 'record', /open no incident/],
  ['an alert about an incident', { rule: rule('StiIncidentOpen') }, {}, 'record', /open no incident/],

  ['the agent reads the opposite', {}, { reading: healthy }, 'incident', /own reading is healthy: 0 of 300/],
  ['old, unknown reading', old, { reading: unknown }, 'incident', /started 5 min ago/],
  ['old, no reading', old, { reading: null }, 'incident', /started 5 min ago/],
  ['resolved before, unknown reading', { seenResolved: true }, { reading: unknown }, 'incident', /resolved before/],
  ['paused', {}, { armed: false, pauseDescription: 'until 11:00 by ann' }, 'incident', /paused until 11:00 by ann/],
  ['not known if paused', {}, { armed: null }, 'incident', /does not know/],
  ['rolled back before', {}, { rolledBack: (change) => change === 'flag-12' }, 'incident', /already/],
  ['no active change', {}, { activeChange: null }, 'incident', /nothing to roll back/],
  ['an earlier change', { change: 'flag-11' }, {}, 'incident', /for flag-11, but the active change is flag-12/],
  ['no change', { change: null }, {}, 'incident', /no specific change/],
  ['the file forbids it', {}, { automaticScopes: [] }, 'incident', /automaticRollback/],
  ['no editor may', {}, { editorScopes: [] }, 'incident', /requires more than the editor level/],
  ['a forged scope', { scope: 'data' }, { automaticScopes: ['flag', 'data'] }, 'incident', /sti_rollback is data/],
  ['without a scope', { scope: null }, {}, 'incident', /sti_rollback is missing/],
  ['a forged scope on a rule that has none', { rule: rule('StiAgentDown') }, {}, 'incident', /does not trigger/],
  ['a warning', { rule: rule('StiHostUsageHigh'), scope: null }, { rollout: null }, 'incident', /does not trigger/],
  [
    'the guard, paused',
    { source: 'guard', scope: null },
    { armed: false, pauseDescription: 'by ann' },
    'incident',
    /paused/,
  ],
]

test.each(cases)('%s', (_, requestChange, contextChange, action, reason) => {
  const decision = decide({ ...REQUEST, ...requestChange }, { ...CONTEXT, ...contextChange })
  expect(decision.action).toBe(action)
  expect(decision.reasons.join(' ')).toMatch(reason)
  expect(decision.scope).toBe(action === 'roll-back' ? 'flag' : null)
})

test.each([
  ['a rollback', {}, true],
  ['an incident', { armed: false }, true],
  ['a healthy reading, which contradicts nothing', { reading: healthy }, false],
])('%s names a recent validation that found no such fault: %j', (_, change, named) => {
  const { reasons } = decide(REQUEST, { ...CONTEXT, validationRemark: 'Validation 3 was inconclusive.', ...change })
  expect(reasons.includes('Validation 3 was inconclusive.')).toBe(named)
})

test('lists every objection, not only the first', () => {
  const { reasons } = decide({ ...REQUEST, change: 'flag-1' }, { ...CONTEXT, armed: false, reading: healthy })
  expect(reasons).toHaveLength(3)
})
