import { expect, test } from 'vitest'
import { createStripePolicy, type StripePolicy } from './stripePolicy.ts'

const FULL = 60

function createTestPolicy(options: { useless?: string; blocker?: () => string | null } = {}) {
  const clock = { ms: 0 }
  const decided: string[] = []
  const judged = createStripePolicy({
    uselessBecause: options.useless ?? null,
    pruningBlocker: options.blocker ?? (() => null),
    onDecision: (sentence) => decided.push(sentence),
    now: () => clock.ms,
  })
  return { clock, decided, judged }
}

interface SimulatedRates {
  /** Rows per second of striped and of plain ranges, and the share of HOT updates of striped ones. */
  readonly striped: number
  readonly plain: number
  readonly hot: number | null
}

/** Writes so many ranges as it is told to; answers which of them were striped. */
function writeRanges(policy: StripePolicy, ranges: number, { striped: fast, plain, hot }: SimulatedRates): boolean[] {
  return Array.from({ length: ranges }, () => {
    const striped = policy.firstShare(FULL) < 1
    const written = striped ? 16_000 : 1_000
    const seconds = written / (striped ? fast : plain)
    policy.observe({ striped, written, seconds, hotRatio: striped ? hot : 0.02, firstHotRatio: null })
    return striped
  })
}

/** Writes until it has chosen; answers the ranges of the trial. */
function runTrial(policy: StripePolicy, decided: readonly string[], speeds: SimulatedRates): boolean[] {
  const before = decided.length
  const ranges: boolean[] = []
  while (decided.length === before && ranges.length < 20) ranges.push(...writeRanges(policy, 1, speeds))
  return ranges
}

test.each<[string, SimulatedRates, boolean, string]>([
  ['faster', { striped: 90, plain: 50, hot: 0.76 }, true, 'striped ranges: 76 % of the updates are HOT'],
  ['a little slower', { striped: 41, plain: 50, hot: 0.76 }, true, 'striped ranges: 76 % of the updates are HOT'],
  [
    'much slower',
    { striped: 39, plain: 50, hot: 0.76 },
    false,
    'plain ranges: striping does not pay here (39 rows/s striped, 50 plain)',
  ],
  [
    'faster, and seldom HOT',
    { striped: 90, plain: 50, hot: 0.29 },
    false,
    'plain ranges: only 29 % of the updates of striped ones were HOT (90 rows/s striped, 50 plain)',
  ],
  [
    'HOT as far as is needed',
    { striped: 90, plain: 50, hot: 0.31 },
    true,
    'striped ranges: 31 % of the updates are HOT',
  ],
  [
    'faster, nobody knows how HOT',
    { striped: 90, plain: 50, hot: null },
    true,
    'striped ranges: unknown of the updates are HOT',
  ],
])('both ways are measured in turn, and one is chosen: striped is %s', (_, speeds, chosen, sentence) => {
  const { judged, decided } = createTestPolicy()
  expect(judged.sentence).toBe('measures striped against plain ranges')
  const trial = runTrial(judged, decided, speeds)
  expect(trial.filter(Boolean).length).toBe(2)
  expect(trial.filter((striped) => !striped).length).toBeGreaterThanOrEqual(4)
  // In turn, so that both meet the same load of others.
  expect(trial.lastIndexOf(true)).toBeGreaterThan(trial.indexOf(false))
  expect(writeRanges(judged, 5, speeds)).toEqual(Array(5).fill(chosen))
  expect(decided).toEqual([sentence])
  expect(judged.sentence).toBe(sentence)
})

test('ranges in which nothing was written measure nothing', () => {
  const { judged, decided } = createTestPolicy()
  for (let i = 0; i < 20; i++)
    judged.observe({ striped: i % 2 === 0, written: 0, seconds: 1, hotRatio: null, firstHotRatio: null })
  expect(judged.hotRatio()).toBeNull()
  expect(decided).toEqual([])
  expect(runTrial(judged, decided, { striped: 90, plain: 50, hot: 0.8 }).length).toBeGreaterThanOrEqual(6)
})

test('without a use it is never tried, and says so at once', () => {
  const { judged, decided, clock } = createTestPolicy({ useless: 'there is no secondary index' })
  expect(decided).toEqual(['plain ranges: there is no secondary index'])
  expect(writeRanges(judged, 20, { striped: 90, plain: 50, hot: 0.8 })).toEqual(Array(20).fill(false))
  clock.ms += 60_000
  expect(judged.firstShare(FULL) < 1).toBe(false)
  expect(decided.length).toBe(1)
})

test('where a page has fewer than two rows to write there is nothing to stripe, and nothing is decided by that', () => {
  const { judged, decided } = createTestPolicy()
  expect([0, 0.1, 1, 1.9].map((rows) => judged.firstShare(rows) < 1)).toEqual([false, false, false, false])
  expect(decided).toEqual([])
  expect(judged.firstShare(2) < 1).toBe(true)
})

test('when HOT updates cease it falls back, names what holds dead rows, and tries again half a minute later', () => {
  let holder: string | null = null
  const { judged, decided, clock } = createTestPolicy({ blocker: () => holder })
  const good: SimulatedRates = { striped: 90, plain: 50, hot: 0.8 }
  runTrial(judged, decided, good)
  clock.ms = 7_000
  holder = 'the snapshot of pid 7, 3 s old,'
  // A moving mean: the first bad range is not the end of it.
  expect(writeRanges(judged, 5, { ...good, hot: 0 })).toEqual([true, true, true, false, false])
  expect(decided.at(-1)).toBe('plain ranges: the snapshot of pid 7, 3 s old, keeps dead rows from being pruned')
  clock.ms += 30_000
  expect(judged.firstShare(FULL) < 1).toBe(false)
  clock.ms += 1
  holder = null
  // Its old HOT share is forgotten.
  expect(runTrial(judged, decided, good)[0]).toBe(true)
  expect(judged.firstShare(FULL) < 1).toBe(true)
  expect(decided).toEqual([
    'striped ranges: 80 % of the updates are HOT',
    'plain ranges: the snapshot of pid 7, 3 s old, keeps dead rows from being pruned',
    'striped ranges: 80 % of the updates are HOT',
  ])
})

test('without a known holder it says what it saw, and after how long', () => {
  const { judged, decided, clock } = createTestPolicy()
  runTrial(judged, decided, { striped: 90, plain: 50, hot: 0.8 })
  clock.ms = 12_345
  writeRanges(judged, 3, { striped: 90, plain: 50, hot: 0 })
  expect(decided.at(-1)).toBe('plain ranges: only 27 % of the updates of striped ones were HOT (after 12 s)')
})

test('a second verdict that is the same is not said again', () => {
  const { judged, decided, clock } = createTestPolicy({ blocker: () => 'the snapshot of pid 7' })
  for (let round = 0; round < 3; round++) {
    writeRanges(judged, 20, { striped: 40, plain: 50, hot: 0 })
    expect(judged.firstShare(FULL) < 1).toBe(false)
    clock.ms += 30_001
  }
  expect(decided).toEqual(['plain ranges: the snapshot of pid 7 keeps dead rows from being pruned'])
})

test('where pages have room the first stripe takes no more than fits there; where they are full it makes room', () => {
  const judged = createStripePolicy({ uselessBecause: null, pruningBlocker: () => null, onDecision: () => undefined })
  writeRanges(judged, 20, { striped: 80_000, plain: 40_000, hot: 0.9 })
  const after = (firstHotRatio: number): number => {
    judged.observe({ striped: true, written: 1000, seconds: 0.01, hotRatio: 0.9, firstHotRatio })
    return judged.firstShare(FULL)
  }
  const full = judged.firstShare(FULL)
  expect(full).toBeLessThan(1)
  expect(after(0.5)).toBeCloseTo(full / 2)
  expect(after(1)).toBeCloseTo(0.6 * full)
  expect(after(0)).toBe(full)
})
