import { describe, expect, test } from 'vitest'
import { estimateMean } from './effectiveSampleSize.ts'
import { testRatio, type RatioTestResult } from './ratioTest.ts'
import { studentCriticalValue, studentUpperTail } from './studentT.ts'

/** Values around `mean` in time order, from a seed. */
type Noise = (values: number, mean: number) => number[]

function createNoiseSources(seed: number): Record<'white' | 'correlated' | 'overlapping' | 'spikes', Noise> {
  let state = seed
  const uniform = (): number => ((state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) + 0.5) / 2 ** 32
  const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform())
  const series = (values: number, next: () => number): number[] => Array.from({ length: values }, next)
  return {
    white: (values, mean) => series(values, () => mean * Math.exp(0.1 * normal() - 0.005)),
    /** Varying load: each value depends on half of the previous one. */
    correlated(values, mean) {
      let level = normal()
      return series(values, () => {
        level = 0.5 * level + Math.sqrt(0.75) * normal()
        return mean * Math.exp(0.15 * level - 0.01125)
      })
    },
    /** Like a 30 s reading that is taken every 5 s. */
    overlapping(values, mean) {
      const each = series(values + 5, normal)
      return series(values, () => 0).map((_, at) => {
        const window = each.slice(at, at + 6).reduce((sum, value) => sum + value, 0) / Math.sqrt(6)
        return mean * (1 + 0.1 * window)
      })
    },
    /** One value in twenty is four times as large, as after a garbage collection or with a noisy neighbor. */
    spikes: (values, mean) => series(values, () => mean * Math.exp(0.1 * normal()) * (uniform() < 0.05 ? 4 : 1)),
  }
}

const AT_MOST_TEN_PERCENT = { ratio: 1.1, side: 'at most' } as const
const SEEDED_RUNS = 2_000

function countVerdicts(
  noise: keyof ReturnType<typeof createNoiseSources>,
  now: number,
  values = 120,
  before = 120,
): Record<string, number> {
  const series = createNoiseSources(20_260)[noise]
  const counts: Record<string, number> = { pass: 0, fail: 0, inconclusive: 0 }
  for (let run = 0; run < SEEDED_RUNS; run++) {
    const { verdict } = testRatio(
      estimateMean(series(values, now))!,
      estimateMean(series(before, 1))!,
      AT_MOST_TEN_PERCENT,
    )
    counts[verdict] = counts[verdict]! + 1
  }
  return counts
}

describe('2,000 seeded runs that compare ten minutes with ten minutes', () => {
  test.each(['white', 'correlated', 'overlapping', 'spikes'] as const)('%s noise alone does not fail', (noise) => {
    expect(countVerdicts(noise, 1)['fail']).toBeLessThanOrEqual(SEEDED_RUNS / 1000)
  })

  test('exactly at the limit, noise fails about one in a hundred, whatever its kind', () => {
    expect(countVerdicts('white', 1.1)['fail']).toBeLessThanOrEqual(0.02 * SEEDED_RUNS)
    expect(countVerdicts('correlated', 1.1)['fail']).toBeLessThanOrEqual(0.03 * SEEDED_RUNS)
    expect(countVerdicts('overlapping', 1.1)['fail']).toBeLessThanOrEqual(0.03 * SEEDED_RUNS)
  })

  test('an unchanged mean passes if the noise is low enough', () => {
    expect(countVerdicts('white', 1)['pass']).toBe(SEEDED_RUNS)
    expect(countVerdicts('correlated', 1)['pass']).toBeGreaterThan(0.95 * SEEDED_RUNS)
  })

  test('20% slower fails, and almost never passes', () => {
    expect(countVerdicts('white', 1.2)['fail']).toBeGreaterThan(0.99 * SEEDED_RUNS)
    const correlated = countVerdicts('correlated', 1.2)
    expect(correlated['fail']).toBeGreaterThan(0.5 * SEEDED_RUNS)
    expect(correlated['pass']).toBeLessThan(0.01 * SEEDED_RUNS)
    expect(countVerdicts('correlated', 1.3)['fail']).toBeGreaterThan(0.95 * SEEDED_RUNS)
    expect(countVerdicts('spikes', 1.2)['pass']).toBeLessThan(0.15 * SEEDED_RUNS)
  })

  test('one minute against one minute detects a slowdown of a third, not of a tenth', () => {
    const slower = countVerdicts('white', 1.33, 12, 12)
    expect(slower['fail']).toBeGreaterThan(0.6 * SEEDED_RUNS)
    expect(slower['pass']).toBe(0)
    expect(countVerdicts('white', 1.12, 12, 12)['fail']).toBeLessThan(0.05 * SEEDED_RUNS)
  })
})

describe('inconclusive comparisons', () => {
  const steady = Array.from({ length: 20 }, (_, index) => 1 + (index % 2) / 100)
  const testAtMost = (now: number[], before: number[]): RatioTestResult =>
    testRatio(estimateMean(now)!, estimateMean(before)!, AT_MOST_TEN_PERCENT)

  test('too few values, or values that are not independent', () => {
    expect(testAtMost([2, 2.1, 2], steady)).toMatchObject({
      verdict: 'inconclusive',
      detail: 'too few values now: 3 (minimum 8)',
    })
    const drifting = Array.from({ length: 20 }, (_, index) => 1 + index / 10)
    expect(testAtMost(steady, drifting).detail).toMatch(
      /^20 values in the baseline are worth [1-4] independent values \(minimum 5\): measure for longer$/,
    )
  })

  test('a baseline of nothing', () => {
    expect(testAtMost(steady, Array<number>(20).fill(0))).toMatchObject({ verdict: 'inconclusive' })
  })

  test('values without noise are compared directly', () => {
    const flat = (value: number): number[] => Array<number>(20).fill(value)
    expect(testAtMost(flat(1.1), flat(1))).toMatchObject({ verdict: 'pass', probability: 1 })
    expect(testAtMost(flat(1.11), flat(1))).toMatchObject({ verdict: 'fail', probability: 0 })
  })

  test('less than at least', () => {
    const atLeast = { ratio: 0.9, side: 'at least' } as const
    const verdict = (now: number): string =>
      testRatio(estimateMean(steady.map((value) => value * now))!, estimateMean(steady)!, atLeast).verdict
    expect([verdict(0.8), verdict(0.95), verdict(1.5)]).toEqual(['fail', 'pass', 'pass'])
  })
})

test('Student’s t matches published tables', () => {
  // NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.6.7.2.
  expect(studentCriticalValue(0.05, 1)).toBeCloseTo(6.314, 3)
  expect(studentCriticalValue(0.01, 10)).toBeCloseTo(2.764, 3)
  expect(studentCriticalValue(0.025, 30)).toBeCloseTo(2.042, 3)
  expect(studentCriticalValue(0.001, 100)).toBeCloseTo(3.174, 3)
  expect(studentUpperTail(0, 5)).toBeCloseTo(0.5, 12)
  expect(studentUpperTail(-2.764, 10)).toBeCloseTo(0.99, 4)
})
