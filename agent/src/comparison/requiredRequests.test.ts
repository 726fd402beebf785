import { expect, test } from 'vitest'
import { requiredFactor, requiredRequests } from './requiredRequests.ts'

const MARGINS = { increase: 0.1, errorRatio: 0.001 }

test('the smaller the part with the flag on, the more requests a step needs', () => {
  // By hand: 1 / 0.001 requests by type, at half of the traffic.
  expect(requiredRequests(50, MARGINS, null)).toBe(2_000)
  expect(requiredRequests(1, MARGINS, null)).toBe(100_000)
  // By hand: (3.241516 * 1 / 0.0953102)² * (2 + 2) = 4,627.
  expect(requiredRequests(50, MARGINS, 1)).toBe(4_627)
  expect(requiredRequests(1, { ...MARGINS, errorRatio: 1 }, 0.76)).toBeGreaterThan(66_000)
  expect(requiredRequests(1, { ...MARGINS, errorRatio: 1 }, 0.76)).toBeLessThan(68_000)
})

test('half of the error takes four times as long', () => {
  expect(requiredFactor(0.02, 0.1) / requiredFactor(0.01, 0.1)).toBeCloseTo(4, 10)
})
