import { expect, test } from 'vitest'
import type { CheckResult, Validation } from '../contract/index.ts'
import { validationRemark } from './validationRemark.ts'

const ENDED = Date.parse('2026-03-01T12:00:00Z')
const validation = (check: string, verdict: CheckResult['verdict']) =>
  ({
    id: 7,
    endedAt: new Date(ENDED).toISOString(),
    checks: [
      { check, verdict, detail: 'too few requests' },
      { check: 'coverage', verdict: 'inconclusive', detail: '' },
    ],
  }) as unknown as Validation

test.each([
  ['StiApiLatencyHigh', 'api-latency-p95', 'inconclusive', 20, /^Validation 7 ended 20 s ago: api-latency-p95 was/],
  ['StiApiLatencyHigh', 'api-latency-average', 'pass', 60, /api-latency-average passed \(too few requests\)/],
  ['StiApiErrorsHigh', 'error-ratio', 'error', 0, /error-ratio could not be run .*both can be right\.$/],
  ['StiApiErrorsHigh', 'api-latency-p95', 'inconclusive', 20, null],
  ['StiApiErrorsHigh', 'api-error-ratio', 'fail', 20, null],
  ['StiApiErrorsHigh', 'api-error-ratio', 'pass', 61, null],
  ['StiErrorBudgetExceeded', 'coverage', 'inconclusive', 1, null],
] as const)('%s and the check %s (%s), %i s after it ended', (rule, check, verdict, seconds, remark) => {
  const state = { validation: validation(check, verdict) }
  const text = validationRemark(rule, state, ENDED + seconds * 1_000)
  if (remark === null) expect(text).toBeNull()
  else expect(text).toMatch(remark)
})

test('without a validation there is nothing to remark', () => {
  expect(validationRemark('StiApiErrorsHigh', null, ENDED)).toBeNull()
  expect(validationRemark('StiApiErrorsHigh', { validation: null }, ENDED)).toBeNull()
})
