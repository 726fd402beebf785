import { expect, test } from 'vitest'
import { unknownApiReadings, type ApiReadings } from '../signals/apiScraper.ts'
import { estimateStep, maximumHoldSeconds } from './stepEstimate.ts'

type Facts = Parameters<typeof estimateStep>[0]

function factsOf(flag: { hold: number; maximumHold?: number }, requires: string[] = ['performance']): Facts {
  const limits = { apiLatencyIncrease: 0.1, errorRatio: 0.001 }
  const baseline = { measured: 'live', unusable: [] }
  return { rollout: { file: { flag, limits, validation: { requires } } }, baseline } as unknown as Facts
}

const traffic = (requestsPerSecond: number, variants: readonly ('on' | 'off')[] = ['off']): ApiReadings => ({
  ...unknownApiReadings('not used'),
  requestRate: { value: requestsPerSecond, at: 0 },
  durationVariation: { value: 0.5, at: 0 },
  variants: new Set(variants),
})

test.each([
  // By hand: 1% of 80 requests per second is 0.8, and 1,000 requests by type take 1,250 s.
  ['1% at 80 req/s', { hold: 600 }, 80, 1, 1_250, /^At 80\.0 requests per second, 1% needs about 20 min 50 s to tell/],
  ['50% at 80 req/s: hold decides', { hold: 600 }, 80, 50, 600, null],
  ['1% at 8 req/s: longer than is allowed', { hold: 600 }, 8, 1, 1_800, /longer than flag\.maximumHold \(30 min\)/],
  ['a higher maximum', { hold: 600, maximumHold: 20_000 }, 8, 1, 12_500, /needs about 3 h 28 min/],
  ['no traffic', { hold: 600 }, 0, 1, 600, /may take up to 30 min: the traffic is not known/],
] as const)('%s', (_, flag, requestsPerSecond, percentage, seconds, note) => {
  const estimate = estimateStep(factsOf(flag), traffic(requestsPerSecond), percentage)
  expect(estimate.seconds).toBe(seconds)
  if (note === null) expect(estimate.note).toBeNull()
  else expect(estimate.note).toMatch(note)
})

test('without a control group, the comparison with the baseline needs its time', () => {
  const facts = factsOf({ hold: 10 })
  for (const [api, percentage] of [
    [traffic(80, []), 50],
    [traffic(80), 100],
  ] as const)
    expect(estimateStep(facts, api, percentage)).toEqual({
      seconds: 60,
      note: `${percentage}% takes 1 min, because the comparison with the baseline needs that time.`,
    })
  expect(estimateStep({ ...facts, baseline: null }, traffic(80), 100)).toEqual({ seconds: 10, note: null })
})

test('a file that does not require the performance layer does not wait for requests', () => {
  expect(estimateStep(factsOf({ hold: 10 }, ['integrity']), traffic(1), 1)).toEqual({ seconds: 10, note: null })
})

test('a step is held at most three times as long, or as the file says, and never shorter than hold', () => {
  expect(maximumHoldSeconds({ hold: 10 })).toBe(30)
  expect(maximumHoldSeconds({ hold: 10, maximumHold: 15 })).toBe(15)
  expect(maximumHoldSeconds({ hold: 10, maximumHold: 5 })).toBe(10)
})
