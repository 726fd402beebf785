import { expect, test } from 'vitest'
import { createStripePolicy, type StripePolicy } from './stripePolicy.ts'

const FULL = 60

function createTestPolicy(options: { useless?: string; blocker?: () => string | null } = {}) {
  const clock = { ms: 0 }
  const decided: string[] = []
  const policy = createStripePolicy({
    uselessBecause: options.useless ?? null,
    pruningBlocker: options.blocker ?? (() => null),
    onDecision: (sentence) => decided.push(sentence),
    now: () => clock.ms,
  })
  return { clock, decided, policy }
}

interface SimulatedRates {
  /** Rows per second of striped and plain ranges, and the HOT share of striped ranges (0 to 1). */
  readonly striped: number
  readonly plain: number
  readonly hot: number | null
}

/** Writes `ranges` ranges. Returns for each if it was striped. */
function writeRanges(policy: StripePolicy, ranges: number, { striped: fast, plain, hot }: SimulatedRates): boolean[] {
  return Array.from({ length: ranges }, () => {
    const striped = policy.firstShare(FULL) < 1
    const written = striped ? 16_000 : 1_000
    const seconds = written / (striped ? fast : plain)
    policy.observe({ striped, written, seconds, hotRatio: striped ? hot : 0.02, firstHotRatio: null })
    return striped
  })
}

/** Writes until a mode is chosen. Returns for each range of the trial if it was striped. */
function runTrial(policy: StripePolicy, decided: readonly string[], speeds: SimulatedRates): boolean[] {
  const before = decided.length
  const ranges: boolean[] = []
  while (decided.length === before && ranges.length < 20) ranges.push(...writeRanges(policy, 1, speeds))
  return ranges
}

test.each<[string, SimulatedRates, boolean, string]>([
  ['faster', { striped: 90, plain: 50, hot: 0.76 }, true, 'striped ranges: 76% of updates are HOT'],
  ['a little slower', { striped: 41, plain: 50, hot: 0.76 }, true, 'striped ranges: 76% of updates are HOT'],
  [
    'much slower',
    { striped: 39, plain: 50, hot: 0.76 },
    false,
    'plain ranges: striping is too slow (39 rows/s striped, 50 rows/s plain)',
  ],
  [
    'faster, but seldom HOT',
    { striped: 90, plain: 50, hot: 0.29 },
    false,
    'plain ranges: only 29% of updates in striped ranges were HOT (90 rows/s striped, 50 rows/s plain)',
  ],
  ['just HOT enough', { striped: 90, plain: 50, hot: 0.31 }, true, 'striped ranges: 31% of updates are HOT'],
  [
    'faster, with an unknown HOT share',
    { striped: 90, plain: 50, hot: null },
    true,
    'striped ranges: an unknown share of updates are HOT',
  ],
])('both modes are measured in turn, then one is chosen: striped is %s', (_, speeds, chosen, sentence) => {
  const { policy, decided } = createTestPolicy()
  expect(policy.sentence).toBe('measuring striped and plain ranges')
  const trial = runTrial(policy, decided, speeds)
  expect(trial.filter(Boolean).length).toBe(2)
  expect(trial.filter((striped) => !striped).length).toBeGreaterThanOrEqual(4)
  // In turn, so that both run under the same load.
  expect(trial.lastIndexOf(true)).toBeGreaterThan(trial.indexOf(false))
  expect(writeRanges(policy, 5, speeds)).toEqual(Array(5).fill(chosen))
  expect(decided).toEqual([sentence])
  expect(policy.sentence).toBe(sentence)
})

test('ranges without writes are not measured', () => {
  const { policy, decided } = createTestPolicy()
  for (let i = 0; i < 20; i++)
    policy.observe({ striped: i % 2 === 0, written: 0, seconds: 1, hotRatio: null, firstHotRatio: null })
  expect(policy.hotRatio()).toBeNull()
  expect(decided).toEqual([])
  expect(runTrial(policy, decided, { striped: 90, plain: 50, hot: 0.8 }).length).toBeGreaterThanOrEqual(6)
})

test('striping that cannot help is never tried', () => {
  const { policy, decided, clock } = createTestPolicy({ useless: 'the table has no secondary index' })
  expect(decided).toEqual(['plain ranges: the table has no secondary index'])
  expect(writeRanges(policy, 20, { striped: 90, plain: 50, hot: 0.8 })).toEqual(Array(20).fill(false))
  clock.ms += 60_000
  expect(policy.firstShare(FULL) < 1).toBe(false)
  expect(decided.length).toBe(1)
})

test('a page with fewer than two rows to write is not striped, and nothing is decided', () => {
  const { policy, decided } = createTestPolicy()
  expect([0, 0.1, 1, 1.9].map((rows) => policy.firstShare(rows) < 1)).toEqual([false, false, false, false])
  expect(decided).toEqual([])
  expect(policy.firstShare(2) < 1).toBe(true)
})

test('when HOT updates cease, the policy falls back, names the blocker, and tries again 30 seconds later', () => {
  let holder: string | null = null
  const { policy, decided, clock } = createTestPolicy({ blocker: () => holder })
  const good: SimulatedRates = { striped: 90, plain: 50, hot: 0.8 }
  runTrial(policy, decided, good)
  clock.ms = 7_000
  holder = 'a snapshot that is 3 s old, held by pid 7'
  // The mean moves: one bad range does not change the mode.
  expect(writeRanges(policy, 5, { ...good, hot: 0 })).toEqual([true, true, true, false, false])
  expect(decided.at(-1)).toBe(
    'plain ranges: dead rows cannot be pruned because of a snapshot that is 3 s old, held by pid 7',
  )
  clock.ms += 30_000
  expect(policy.firstShare(FULL) < 1).toBe(false)
  clock.ms += 1
  holder = null
  // The old HOT share is discarded.
  expect(runTrial(policy, decided, good)[0]).toBe(true)
  expect(policy.firstShare(FULL) < 1).toBe(true)
  expect(decided).toEqual([
    'striped ranges: 80% of updates are HOT',
    'plain ranges: dead rows cannot be pruned because of a snapshot that is 3 s old, held by pid 7',
    'striped ranges: 80% of updates are HOT',
  ])
})

test('without a known blocker, the message has the HOT share and the time', () => {
  const { policy, decided, clock } = createTestPolicy()
  runTrial(policy, decided, { striped: 90, plain: 50, hot: 0.8 })
  clock.ms = 12_345
  writeRanges(policy, 3, { striped: 90, plain: 50, hot: 0 })
  expect(decided.at(-1)).toBe('plain ranges: only 27% of updates in striped ranges were HOT (after 12 s)')
})

test('the same decision is reported once', () => {
  const { policy, decided, clock } = createTestPolicy({ blocker: () => 'the snapshot of pid 7' })
  for (let round = 0; round < 3; round++) {
    writeRanges(policy, 20, { striped: 40, plain: 50, hot: 0 })
    expect(policy.firstShare(FULL) < 1).toBe(false)
    clock.ms += 30_001
  }
  expect(decided).toEqual(['plain ranges: dead rows cannot be pruned because of the snapshot of pid 7'])
})

test('the first stripe shrinks to the free space of its pages; on full pages it makes room', () => {
  const policy = createStripePolicy({ uselessBecause: null, pruningBlocker: () => null, onDecision: () => undefined })
  writeRanges(policy, 20, { striped: 80_000, plain: 40_000, hot: 0.9 })
  const after = (firstHotRatio: number): number => {
    policy.observe({ striped: true, written: 1000, seconds: 0.01, hotRatio: 0.9, firstHotRatio })
    return policy.firstShare(FULL)
  }
  const full = policy.firstShare(FULL)
  expect(full).toBeLessThan(1)
  expect(after(0.5)).toBeCloseTo(full / 2)
  expect(after(1)).toBeCloseTo(0.6 * full)
  expect(after(0)).toBe(full)
})
