import { expect, test } from 'vitest'
import { evaluateServedFlag, type ServedFlag, computeBucket, isInPercentage } from './evaluation.ts'

const servedAt = (percentage: number, enabled = true): ServedFlag => ({
  kind: 'state',
  enabled,
  percentage,
  version: 3,
  pending: false,
})
const targetingKeys = Array.from({ length: 20_000 }, (_, index) => `user-${index}`)
const keysWithFlagOn = (percentage: number, key = 'vehicles-sti'): Set<string> =>
  new Set(targetingKeys.filter((targetingKey) => evaluateValue(key, servedAt(percentage), { targetingKey })))

function evaluateValue(key: string, state: ServedFlag, context: Record<string, unknown>): boolean {
  const answer = evaluateServedFlag(key, state, context)
  if ('errorCode' in answer) throw new Error(answer.errorCode)
  return answer.value
}

test('off is off and 100% is on for every context, also without a targeting key', () => {
  expect(evaluateServedFlag('k', servedAt(100, false), {})).toMatchObject({
    value: false,
    reason: 'DISABLED',
    variant: 'off',
  })
  expect(evaluateServedFlag('k', servedAt(100), {})).toMatchObject({ value: true, reason: 'STATIC', variant: 'on' })
  expect(evaluateServedFlag('k', servedAt(0), {})).toMatchObject({ value: false, reason: 'STATIC', variant: 'off' })
  expect(evaluateServedFlag('k', { kind: 'unknown', why: 'w' }, {})).toMatchObject({ value: false, reason: 'UNKNOWN' })
})

test('a percentage requires a targeting key', () => {
  for (const context of [{}, { targetingKey: '' }, { targetingKey: 7 }])
    expect(evaluateServedFlag('k', servedAt(50), context)).toMatchObject({ errorCode: 'TARGETING_KEY_MISSING' })
})

// 20,000 draws: the standard deviation of the share at p is sqrt(p(1-p)/20000). A deviation of five occurs once in
// 1.7 million.
test.each([0.5, 1, 10, 50, 90])('%d%% is on for that share of the keys', (percentage) => {
  const share = percentage / 100
  const tolerance = 5 * Math.sqrt((share * (1 - share)) / targetingKeys.length)
  expect(Math.abs(keysWithFlagOn(percentage).size / targetingKeys.length - share)).toBeLessThan(tolerance)
})

test('the same key always gets the same answer, and a higher percentage only adds keys', () => {
  const steps = [1, 10, 10, 50, 99].map((percentage) => keysWithFlagOn(percentage))
  for (const [index, step] of steps.entries())
    for (const key of steps[index - 1] ?? []) expect(step.has(key)).toBe(true)
  expect(steps[1]).toEqual(steps[2])
})

test('another flag at the same percentage selects other keys', () => {
  const b = keysWithFlagOn(10, 'b')
  const both = [...keysWithFlagOn(10, 'a')].filter((key) => b.has(key)).length
  expect(both / targetingKeys.length).toBeLessThan(0.02)
})

test('the buckets are unchanged: an upgrade must not move users between on and off', () => {
  expect(['a', 'b', 'user-1', 'Zoë'].map((key) => computeBucket('vehicles-sti', key))).toMatchInlineSnapshot(`
    [
      9065,
      2994,
      2562,
      1400,
    ]
  `)
  // In floating point 0.07 * 100 is more than 7, and 0.29 * 100 less than 29.
  expect([
    isInPercentage(6, 0.07),
    isInPercentage(7, 0.07),
    isInPercentage(28, 0.29),
    isInPercentage(29, 0.29),
  ]).toEqual([true, false, true, false])
})
