import { expect, test } from 'vitest'
import { parseOptions } from '../../bench/mttr/options.ts'
import { toMttrRound } from '../../bench/mttr/timeline.ts'

const alert = {
  injected: 0,
  signal: 4_000,
  scraped: 6_000,
  fired: 14_000,
  received: 14_200,
  off: 14_250,
  seen: 14_300,
}

test('the total of a round is the sum of its parts', () => {
  const { parts, whole, agent } = toMttrRound(alert)
  expect(parts).toEqual({ signal: 4, scrape: 2, rule: 8, webhook: 0.2, decision: 0.05, propagation: 0.05 })
  expect(Object.values(parts).reduce((sum, part) => sum! + part!, 0)).toBeCloseTo(whole)
  expect(agent).toBe(0.05)
})

test('a round of the guard has no scrape, rule, or webhook, and its decision starts with the signal', () => {
  const { parts, agent } = toMttrRound({ ...alert, scraped: null, fired: null, received: null, off: 4_500 })
  expect(parts).toMatchObject({ scrape: null, rule: null, webhook: null, decision: 0.5 })
  expect(agent).toBe(0.5)
})

test.each([
  [[], { rounds: 10, path: 'alert', rows: 20_000, json: null }],
  [['--rounds', '3', '--path', 'guard'], { rounds: 3, path: 'guard' }],
  [['--rounds', '0'], { error: expect.stringMatching(/--rounds/) as string }],
  [['--path', 'both'], { error: expect.stringMatching(/--path/) as string }],
  [['--wat'], { error: expect.stringMatching(/wat/) as string }],
])('%j', (args, wanted) => {
  expect(parseOptions(args)).toMatchObject(wanted)
})
