import { expect, test } from 'vitest'
import { createPacer } from './pacer.ts'

test('the pacer settles around a limit that caps the work, and returns to full speed without the limit', () => {
  const pace = createPacer()
  const share = (): number => 1 / (1 + pace.restRatio())
  // A server whose latency rises with the share of time that the engine works: 0.4 reaches the limit.
  const shares: number[] = []
  for (let at = 0; at < 600_000; at += 2_000) {
    pace.observe({ ratio: share() / 0.4, at })
    if (at > 100_000) shares.push(share())
  }
  const mean = shares.reduce((sum, value) => sum + value, 0) / shares.length
  expect(mean).toBeGreaterThan(0.25)
  expect(mean).toBeLessThan(0.4)
  expect(Math.max(...shares)).toBeLessThanOrEqual(0.5)
  for (let at = 600_000; at < 640_000; at += 2_000) pace.observe({ ratio: 0.1, at })
  expect(pace.restRatio()).toBe(0)
})

test('the pacer never rests for more than 19 times its work, uses a reading once, and keeps its pace while the signal is unknown', () => {
  const pace = createPacer()
  for (let at = 0; at < 100_000; at += 5_000) pace.observe({ ratio: 9, at })
  expect(pace.restRatio()).toBeCloseTo(19)
  for (let i = 0; i < 50; i++) pace.observe({ ratio: 0.5, at: 200_000 })
  expect(1 / (1 + pace.restRatio())).toBeCloseTo(0.1)
  pace.observe(undefined)
  expect(pace.restRatio()).toBeCloseTo(9)
  pace.observe(null)
  expect(pace.restRatio()).toBe(0)
})
