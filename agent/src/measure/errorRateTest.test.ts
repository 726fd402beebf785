import { expect, test } from 'vitest'
import { judgeErrorRatio } from './compareSignal.ts'
import { selectSignificant } from './compareQueries.ts'
import { poissonUpperTail, countRequests } from './errorRateTest.ts'

test('requests are counted from rates and ratios; time without readings is excluded', () => {
  const at = (seconds: number, value: number) => ({ at: seconds * 1000, value })
  const rates = [at(0, 10), at(5, 20), at(10, 20), at(600, 4)]
  expect(countRequests([at(5, 0.5), at(10, 0), at(600, 0.25)], rates)).toEqual({ failed: 80, all: 320 })
  expect(countRequests([], rates)).toEqual({ failed: 0, all: 0 })
})

test.each([
  [{ failed: 0, all: 5_000 }, 'pass'],
  [{ failed: 5, all: 5_000 }, 'pass'],
  [{ failed: 8, all: 5_000 }, 'inconclusive'],
  [{ failed: 20, all: 5_000 }, 'fail'],
  [{ failed: 0, all: 500 }, 'inconclusive'],
  [{ failed: 0, all: 0 }, 'inconclusive'],
  [{ failed: 1_300_000, all: 1_000_000_000 }, 'fail'],
])('%j at 0.1 %%: %s', (requests, verdict) => {
  expect(judgeErrorRatio(requests, 0.001).verdict).toBe(verdict)
})

test('the probability of a number of errors follows the Poisson distribution', () => {
  expect(poissonUpperTail({ failed: 1, all: 1_000 }, 0.001)).toBeCloseTo(1 - Math.exp(-1), 10)
  expect(poissonUpperTail({ failed: 4, all: 1_000 }, 0.001)).toBeCloseTo(0.018988, 6)
})

test('among many probabilities, only those below the corrected level are significant', () => {
  expect(selectSignificant([0.009])).toEqual(new Set([0]))
  expect(selectSignificant([0.009, 0.5])).toEqual(new Set())
  expect(selectSignificant([0.5, 0.0001, null, 0.004])).toEqual(new Set([1, 3]))
})
