import { expect, test } from 'vitest'
import type { ExpositionSample } from '../signals/exposition.ts'
import { unknownApiReadings } from '../signals/apiScraper.ts'
import { countRecentRequests } from '../signals/recentRequests.ts'
import type { ConditionFinding } from './conditions/conditionFinding.ts'
import type { ConditionInput, DatabaseState } from './conditions/conditionInput.ts'
import { createFindingDebouncer, evaluateConditions } from './evaluateConditions.ts'

const NOW = 1_800_000_000_000
const HISTOGRAM = { url: '', name: 'http', errors: { status: '5..' }, variant: 'variant' }

interface SecondOfRequests {
  readonly all: number
  readonly failed?: number
  readonly slow?: number
}

/** The application's counters after each of these seconds; the last one is now. */
function requests(...seconds: SecondOfRequests[]): ConditionInput['requests'] {
  let [good, failed, slow] = [0, 0, 0]
  const scrape = (at: number) => ({
    at,
    samples: [...samplesOf('200', good, slow), ...samplesOf('503', failed, 0)],
  })
  const scrapes = [scrape(NOW - seconds.length * 1_000)]
  seconds.forEach((second, index) => {
    failed += second.failed ?? 0
    good += second.all - (second.failed ?? 0)
    slow += second.slow ?? 0
    scrapes.push(scrape(NOW - (seconds.length - 1 - index) * 1_000))
  })
  return countRecentRequests(HISTOGRAM, scrapes, [])
}

const samplesOf = (status: string, count: number, slow: number): ExpositionSample[] => [
  { name: 'http_count', labels: { status }, value: count },
  { name: 'http_bucket', labels: { status, le: '0.1' }, value: count - slow },
  { name: 'http_bucket', labels: { status, le: '1' }, value: count },
  { name: 'http_bucket', labels: { status, le: '+Inf' }, value: count },
]

const DATABASE_STATE: DatabaseState = {
  readAt: NOW - 1_000,
  readSince: NOW - 1_500,
  writer: null,
  lastBackfill: null,
  covered: false,
  validation: null,
  failedSince: [],
  lastWriteEndedAt: null,
  failedRows: 0,
  totalRows: 1_000,
  errorBudget: 0.001,
  latencyLimit: 0.1,
  errorLimit: 0.001,
}

function conditionInput(change: Partial<ConditionInput> = {}, state: Partial<DatabaseState> = {}): ConditionInput {
  return {
    flag: {
      key: 'k',
      enabled: true,
      percentage: 100,
      version: 12,
      changedAt: null,
      changedBy: null,
      persisted: true,
      pendingOff: null,
      ageSeconds: 1,
      clients: [],
      consistent: true,
      longestRequestSeconds: 30,
      lastPropagationSeconds: null,
    },
    now: NOW,
    activeSeconds: 300,
    inconsistentSince: null,
    counted: true,
    comparison: null,
    controlLimits: null,
    api: unknownApiReadings('none'),
    requests: requests(...Array<SecondOfRequests>(30).fill({ all: 30 })),
    state: { ...DATABASE_STATE, ...state },
    ...change,
  }
}

const stateOf = (rule: ConditionFinding['rule'], input: ConditionInput): ConditionFinding['state'] | undefined =>
  evaluateConditions(input).find((finding) => finding.rule === rule)?.state

const calmSeconds = Array<SecondOfRequests>(30).fill({ all: 30 })
test.each<[string, SecondOfRequests[], ConditionFinding['state']]>([
  ['none fails', calmSeconds, 'healthy'],
  [
    'one of 900 fails, which is within random variation at a limit of 1 in 1,000',
    [{ all: 30, failed: 1 }, ...calmSeconds],
    'unknown',
  ],
  ['two fail', [...calmSeconds, { all: 30, failed: 2 }], 'unknown'],
  ['three of the last 330 fail', [...calmSeconds.slice(0, 10), { all: 30, failed: 3 }], 'unknown'],
  ['a third has failed for one second', [...calmSeconds, { all: 30, failed: 10 }], 'unhealthy'],
  ['one in a hundred has failed for a minute', Array<SecondOfRequests>(60).fill({ all: 100, failed: 1 }), 'unhealthy'],
  ['there are too few requests', [{ all: 5 }], 'unknown'],
])('errors: %s', (_, seconds, state) => {
  expect(stateOf('StiApiErrorsHigh', conditionInput({ requests: requests(...seconds) }))).toBe(state)
})

test.each<[string, SecondOfRequests[], ConditionFinding['state']]>([
  ['none is slow', calmSeconds, 'healthy'],
  ['one in twenty is slow, which is the limit', Array<SecondOfRequests>(30).fill({ all: 40, slow: 2 }), 'healthy'],
  ['slightly more than one in twenty for a moment', [...calmSeconds, { all: 30, slow: 3 }], 'healthy'],
  ['half have been slow for two seconds', [...calmSeconds, { all: 30, slow: 20 }, { all: 30, slow: 20 }], 'unhealthy'],
  [
    'earlier requests were slow, recent ones are not',
    [{ all: 30, slow: 30 }, { all: 30, slow: 30 }, ...calmSeconds.slice(0, 5)],
    'healthy',
  ],
  ['one in ten for a minute', Array<SecondOfRequests>(60).fill({ all: 30, slow: 3 }), 'unhealthy'],
])('latency: %s', (_, seconds, state) => {
  expect(stateOf('StiApiLatencyHigh', conditionInput({ requests: requests(...seconds) }))).toBe(state)
})

const compared = (verdict: 'pass' | 'fail' | 'inconclusive', probability: number): ConditionInput['comparison'] => {
  const totals = { requests: 500, failed: 0, latency: 0.01 }
  const signal = { verdict, probability, value: 1, between: [0.9, 1.1], detail: 'x' }
  return { on: totals, off: totals, seconds: 30, latency: signal, errors: signal, missingSeconds: 0 }
}

test.each<[string, ConditionInput['comparison'], ConditionFinding['state']]>([
  ['passes, although all requests together are slow and fail', compared('pass', 1), 'healthy'],
  ['has not decided yet', compared('inconclusive', 0.5), 'healthy'],
  ['is suspicious', compared('inconclusive', 0.01), 'unknown'],
  ['has found a fault', compared('fail', 1e-4), 'unhealthy'],
])('with a control group the comparison decides: it %s', (_, comparison, state) => {
  const bad = requests(...Array<SecondOfRequests>(60).fill({ all: 100, failed: 10, slow: 50 }))
  const input = conditionInput({ requests: bad, comparison })
  expect(stateOf('StiApiErrorsHigh', input)).toBe(state)
  expect(stateOf('StiApiLatencyHigh', input)).toBe(state)
  expect(stateOf('StiApiErrorsHigh', { ...input, comparison: null })).toBe('unhealthy')
})

test('at 100%, the control group of the step before counts as well as the baseline', () => {
  const slow = requests(...Array<SecondOfRequests>(60).fill({ all: 30, slow: 9, failed: 1 }))
  const input = (controlLimits: ConditionInput['controlLimits']): ConditionInput =>
    conditionInput({ requests: slow, controlLimits })
  expect(stateOf('StiApiLatencyHigh', input(null))).toBe('unhealthy')
  expect(stateOf('StiApiLatencyHigh', input({ latency: 1, errorRatio: 0 }))).toBe('healthy')
  expect(stateOf('StiApiErrorsHigh', input(null))).toBe('unhealthy')
  expect(stateOf('StiApiErrorsHigh', input({ latency: null, errorRatio: 0.05 }))).toBe('healthy')
})

test('requests before the change are not counted', () => {
  const before = requests(...Array<SecondOfRequests>(20).fill({ all: 30, failed: 15 }), ...calmSeconds.slice(0, 4))
  expect(stateOf('StiApiErrorsHigh', conditionInput({ requests: before, activeSeconds: 30 }))).toBe('unhealthy')
  expect(stateOf('StiApiErrorsHigh', conditionInput({ requests: before, activeSeconds: 3 }))).toBe('healthy')
})

test('unknown without a baseline, a reading, or the database', () => {
  expect(stateOf('StiApiLatencyHigh', conditionInput({}, { latencyLimit: null }))).toBe('unknown')
  expect(stateOf('StiApiErrorsHigh', conditionInput({ requests: { unknown: 'the database is unavailable' } }))).toBe(
    'unknown',
  )
  expect(stateOf('StiApiErrorsHigh', conditionInput({ state: null }))).toBe('unknown')
  expect(stateOf('StiDiscrepancyAfterCoverage', conditionInput({}, { covered: true, readAt: NOW - 60_000 }))).toBe(
    'unknown',
  )
})

test('a validation that was read before the flag changed does not judge the change', () => {
  const checks = [{ check: 'type-matches-legacy', verdict: 'fail', discrepancies: 3, detail: '3 rows' }]
  const validation = { id: 14, startedAt: '2026-01-01T00:00:00.000Z', checks } as unknown as DatabaseState['validation']
  const after = (activeSeconds: number): unknown =>
    stateOf('StiDiscrepancyAfterCoverage', conditionInput({ activeSeconds }, { covered: true, validation }))
  expect([after(1.4), after(1.6)]).toEqual(['unknown', 'unhealthy'])
})

test('the application is evaluated only while a change is active; the flag’s change comes first', () => {
  const off = { ...conditionInput().flag, enabled: false }
  expect(stateOf('StiApiErrorsHigh', conditionInput({ flag: off }))).toBeUndefined()
  expect(evaluateConditions(conditionInput())[0]!.change).toBe('flag-12')
  const backfilling = conditionInput({ flag: off }, { writer: { kind: 'backfill', id: 7 } })
  expect(evaluateConditions(backfilling)[0]!.change).toBe('backfill-7')
})

test('failed rows are compared with the error budget, stale clients with one minute', () => {
  const budget = (failedRows: number): unknown =>
    stateOf('StiErrorBudgetExceeded', conditionInput({}, { lastBackfill: 7, failedRows }))
  expect([budget(0), budget(1), budget(2)]).toEqual(['healthy', 'healthy', 'unhealthy'])
  const seen = { instance: 'i', caching: true, lastSeenAt: '', answeredOn: true }
  const client = { ...seen, client: 'a', stale: true, silent: true, acceptedBy: null }
  const flag = { ...conditionInput().flag, clients: [client], consistent: false }
  const stale = (ms: number): unknown =>
    stateOf('StiFlagInconsistent', conditionInput({ flag, inconsistentSince: NOW - ms }))
  expect([stale(1_000), stale(60_001)]).toEqual(['healthy', 'unhealthy'])
})

test('a finding is unhealthy once it has lasted for the required time in every evaluation', () => {
  const persistence = createFindingDebouncer()
  const finding = (state: ConditionFinding['state']): ConditionFinding => ({
    rule: 'StiApiErrorsHigh',
    change: 'flag-12',
    state,
    sentence: 'x.',
    requiredMs: 1_000,
  })
  const at = (ms: number, state: ConditionFinding['state']): unknown =>
    persistence.debounce([finding(state)], ms)[0]!.state
  expect([at(0, 'unhealthy'), at(500, 'unhealthy'), at(999, 'unhealthy'), at(1_000, 'unhealthy')]).toEqual([
    ...['unknown', 'unknown', 'unknown', 'unhealthy'],
  ])
  expect([at(1_250, 'healthy'), at(1_500, 'unhealthy'), at(2_500, 'unhealthy')]).toEqual([
    ...['healthy', 'unknown', 'unhealthy'],
  ])
})
