import { expect, test } from 'vitest'
import { endOfDay, expiryDays } from './expiry'

const now = Date.parse('2026-11-26T23:30:00Z')

test('a sign-off expires tomorrow at the earliest, and never later than the agent allows', () => {
  const { first, default: standard, last } = expiryDays(now)
  expect([first, standard]).toEqual(['2026-11-27', '2027-02-24'])
  expect(Date.parse(endOfDay(last)) - now).toBeLessThanOrEqual(366 * 86_400_000)
  expect(Date.parse(endOfDay(first))).toBeGreaterThan(now)
})
