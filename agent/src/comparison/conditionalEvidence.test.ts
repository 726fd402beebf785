import { expect, test } from 'vitest'
import { logConditionalEvidence, logRatioEvidence } from './conditionalEvidence.ts'

const binomial = (n: number, k: number): number =>
  Array.from({ length: k }, (_, index) => (n - index) / (index + 1)).reduce((product, factor) => product * factor, 1)

test.each([
  [5, 7, 4, 0],
  [20, 20, 3, 0],
  [12, 30, 25, 0],
  [12, 30, 25, 0.3],
])(
  '%d on, %d off, %d events: the expected e-value is 1 at an odds ratio of e^%d, and below it is less',
  (on, off, events, allowed) => {
    const counts = Array.from({ length: events + 1 }, (_, count) => count).filter(
      (count) => count <= on && events - count <= off,
    )
    const expectation = (logOdds: number): number => {
      const weights = counts.map(
        (count) => binomial(on, count) * binomial(off, events - count) * Math.exp(logOdds * count),
      )
      const total = weights.reduce((sum, weight) => sum + weight, 0)
      return counts.reduce((sum, count, index) => {
        const table = { on: { all: on, events: count }, off: { all: off, events: events - count } }
        return sum + (weights[index]! / total) * Math.exp(logConditionalEvidence(table, allowed, [0.7])[0]!)
      }, 0)
    }
    expect(expectation(allowed)).toBeCloseTo(1, 10)
    expect(expectation(allowed - 0.3)).toBeLessThan(1)
    expect(expectation(allowed + 0.7)).toBeGreaterThan(1)
  },
)

test('a table without events, or with nothing but events, is no evidence', () => {
  expect(logConditionalEvidence({ on: { all: 5, events: 0 }, off: { all: 5, events: 0 } }, 0, [1, 2])).toEqual([0, 0])
  expect(logConditionalEvidence({ on: { all: 5, events: 5 }, off: { all: 5, events: 5 } }, 0, [1])).toEqual([0])
  expect(logConditionalEvidence({ on: { all: 9, events: 3 }, off: { all: 0, events: 0 } }, 0, [1])).toEqual([0])
})

test('a large block is scaled down, which makes its evidence weaker', () => {
  const table = (factor: number) => ({
    on: { all: 2_000 * factor, events: 200 * factor },
    off: { all: 2_000 * factor, events: 100 * factor },
  })
  expect(logConditionalEvidence(table(50), 0, [0.7])[0]).toBeCloseTo(logConditionalEvidence(table(1), 0, [0.7])[0]!, 10)
})

test('the evidence against a ratio of requests has an expectation of 1 at that ratio', () => {
  const expected = 1_000 * 0.001
  let probability = Math.exp(-expected)
  let expectation = 0
  for (let events = 0; events < 60; events++) {
    expectation += probability * Math.exp(logRatioEvidence({ all: 1_000, events }, 0.001, [1])[0]!)
    probability *= expected / (events + 1)
  }
  expect(expectation).toBeCloseTo(1, 10)
})
