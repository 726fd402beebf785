import { expect, test } from 'vitest'
import { readHoldback } from './holdback.ts'
import { remainingSteps } from './rampParameters.ts'

const CHANGED_AT = '2026-01-01T00:00:00.000Z'
const HOUR_MS = 3_600_000

type Rollout = Parameters<typeof remainingSteps>[0]
const rollout = (holdback: number): Rollout =>
  ({ file: { flag: { ramp: [10, 50, 100], holdback }, soak: 3_600 } }) as unknown as Rollout
const flag = (percentage: number, enabled = true) =>
  ({ enabled, percentage, changedAt: CHANGED_AT }) as Parameters<typeof remainingSteps>[1]
const hoursLater = (hours: number): number => Date.parse(CHANGED_AT) + hours * HOUR_MS

test.each([
  ['without a holdback, 100% is allowed', 0, flag(0, false), 0, { maximum: 100, until: null }],
  ['off', 1, flag(0, false), 5, { maximum: 99, until: null }],
  ['at an earlier step for longer than the soak time', 1, flag(50), 5, { maximum: 99, until: null }],
  ['soaking at 99%', 1, flag(99), 0.5, { maximum: 99, until: hoursLater(1) }],
  ['soaked at 99%', 1, flag(99), 1, { maximum: 100, until: null }],
  ['already at 100%', 1, flag(100), 0, { maximum: 100, until: null }],
])('%s', (_, holdback, state, hours, expected) => {
  expect(readHoldback(rollout(holdback), state, hoursLater(hours))).toEqual(expected)
})

test('the last step of a ramp keeps the control group until the flag has soaked', () => {
  expect(remainingSteps(rollout(0), flag(0, false), hoursLater(0))).toEqual([10, 50, 100])
  expect(remainingSteps(rollout(1), flag(0, false), hoursLater(0))).toEqual([10, 50, 99])
  expect(remainingSteps(rollout(50), flag(0, false), hoursLater(0))).toEqual([10, 50])
  expect(remainingSteps(rollout(1), flag(99), hoursLater(0.5))).toEqual([])
  expect(remainingSteps(rollout(1), flag(99), hoursLater(1))).toEqual([100])
})
