import { describe, expect, test } from 'vitest'
import { meanOf } from './mean.ts'
import { judge, type Judgement } from './ratioTest.ts'
import { criticalT, upperTail } from './studentT.ts'

/** Values around `mean` in the order of time, as a seed gives them. */
type Noise = (values: number, mean: number) => number[]

function noises(seed: number): Record<'white' | 'correlated' | 'overlapping' | 'spikes', Noise> {
  let state = seed
  const uniform = (): number => ((state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) + 0.5) / 2 ** 32
  const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
  const series = (values: number, next: () => number): number[] => Array.from({ length: values }, next)
  return {
    white: (values, mean) => series(values, () => mean * Math.exp(0.1 * normal() - 0.005)),
    /** As load that comes and goes: each value is half the one before. */
    correlated(values, mean) {
      let level = normal()
      return series(values, () => {
        level = 0.5 * level + Math.sqrt(0.75) * normal()
        return mean * Math.exp(0.15 * level - 0.01125)
      })
    },
    /** As a reading over 30 s that is taken each 5 s. */
    overlapping(values, mean) {
      const each = series(values + 5, normal)
      return series(values, () => 0).map((_, at) => {
        const window = each.slice(at, at + 6).reduce((sum, one) => sum + one, 0) / Math.sqrt(6)
        return mean * (1 + 0.1 * window)
      })
    },
    /** One value in twenty is four times as large: a collection of garbage, a neighbour. */
    spikes: (values, mean) => series(values, () => mean * Math.exp(0.1 * normal()) * (uniform() < 0.05 ? 4 : 1)),
  }
}

const AT_MOST = { ratio: 1.1, side: 'at most' } as const
const RUNS = 2_000

function verdicts(
  noise: keyof ReturnType<typeof noises>,
  now: number,
  values = 120,
  before = 120,
): Record<string, number> {
  const of = noises(20_260)[noise]
  const found: Record<string, number> = { pass: 0, fail: 0, inconclusive: 0 }
  for (let run = 0; run < RUNS; run++) {
    const { verdict } = judge(meanOf(of(values, now))!, meanOf(of(before, 1))!, AT_MOST)
    found[verdict] = found[verdict]! + 1
  }
  return found
}

describe('2,000 seeded runs of ten minutes against ten minutes', () => {
  test.each(['white', 'correlated', 'overlapping', 'spikes'] as const)('%s noise alone does not fail', (noise) => {
    expect(verdicts(noise, 1)['fail']).toBeLessThanOrEqual(RUNS / 1000)
  })

  test('at the limit itself noise fails about one in a hundred, however it is made', () => {
    expect(verdicts('white', 1.1)['fail']).toBeLessThanOrEqual(0.02 * RUNS)
    expect(verdicts('correlated', 1.1)['fail']).toBeLessThanOrEqual(0.03 * RUNS)
    expect(verdicts('overlapping', 1.1)['fail']).toBeLessThanOrEqual(0.03 * RUNS)
  })

  test('as before passes where the noise lets one tell', () => {
    expect(verdicts('white', 1)['pass']).toBe(RUNS)
    expect(verdicts('correlated', 1)['pass']).toBeGreaterThan(0.95 * RUNS)
  })

  test('20 % slower fails, and hardly ever passes', () => {
    expect(verdicts('white', 1.2)['fail']).toBeGreaterThan(0.99 * RUNS)
    const correlated = verdicts('correlated', 1.2)
    expect(correlated['fail']).toBeGreaterThan(0.5 * RUNS)
    expect(correlated['pass']).toBeLessThan(0.01 * RUNS)
    expect(verdicts('correlated', 1.3)['fail']).toBeGreaterThan(0.95 * RUNS)
    expect(verdicts('spikes', 1.2)['pass']).toBeLessThan(0.15 * RUNS)
  })

  test('a minute against a minute tells a third slower, not a tenth', () => {
    const slower = verdicts('white', 1.33, 12, 12)
    expect(slower['fail']).toBeGreaterThan(0.6 * RUNS)
    expect(slower['pass']).toBe(0)
    expect(verdicts('white', 1.12, 12, 12)['fail']).toBeLessThan(0.05 * RUNS)
  })
})

describe('what cannot be told', () => {
  const steady = Array.from({ length: 20 }, (_, index) => 1 + (index % 2) / 100)
  const of = (now: number[], before: number[]): Judgement => judge(meanOf(now)!, meanOf(before)!, AT_MOST)

  test('too few values, or values that say the same', () => {
    expect(of([2, 2.1, 2], steady)).toMatchObject({
      verdict: 'inconclusive',
      detail: 'too few values now: 3, it takes 8',
    })
    const drifting = Array.from({ length: 20 }, (_, index) => 1 + index / 10)
    expect(of(steady, drifting).detail).toMatch(
      /^20 values of the baseline are worth [1-4] independent ones, it takes 5: measure for longer$/,
    )
  })

  test('a baseline of nothing', () => {
    expect(of(steady, Array<number>(20).fill(0))).toMatchObject({ verdict: 'inconclusive' })
  })

  test('values without any noise are compared as they are', () => {
    const flat = (value: number): number[] => Array<number>(20).fill(value)
    expect(of(flat(1.1), flat(1))).toMatchObject({ verdict: 'pass', probability: 1 })
    expect(of(flat(1.11), flat(1))).toMatchObject({ verdict: 'fail', probability: 0 })
  })

  test('less than at least', () => {
    const atLeast = { ratio: 0.9, side: 'at least' } as const
    const verdict = (now: number): string =>
      judge(meanOf(steady.map((one) => one * now))!, meanOf(steady)!, atLeast).verdict
    expect([verdict(0.8), verdict(0.95), verdict(1.5)]).toEqual(['fail', 'pass', 'pass'])
  })
})

test('Student’s t is that of the tables', () => {
  // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
  expect(criticalT(0.05, 1)).toBeCloseTo(6.314, 3)
  expect(criticalT(0.01, 10)).toBeCloseTo(2.764, 3)
  expect(criticalT(0.025, 30)).toBeCloseTo(2.042, 3)
  expect(criticalT(0.001, 100)).toBeCloseTo(3.174, 3)
  expect(upperTail(0, 5)).toBeCloseTo(0.5, 12)
  expect(upperTail(-2.764, 10)).toBeCloseTo(0.99, 4)
})
