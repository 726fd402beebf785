import { expect, test } from 'vitest'
import type { RecentRequests } from '../signals/recentRequests.ts'
import type { VariantBlock, VariantCounts } from '../signals/variantBlock.ts'
import { createVariantMonitor, type VariantMonitorState } from './variantMonitor.ts'

const FILE = { limits: { apiLatencyIncrease: 0.1, errorRatio: 0.001 } }
const createMonitor = () => createVariantMonitor({ file: FILE } as Parameters<typeof createVariantMonitor>[0])

const flag = (percentage: number, version = 1, enabled = true): VariantMonitorState['flag'] => ({
  enabled,
  percentage,
  version,
})

const counts = (all: number, failed = 0): VariantCounts => ({ all, failed, seconds: all * 0.01, slower: [all, 0] })

/** Half-second blocks up to `until`. */
function blocks(until: number, seconds: number, on: VariantCounts, off: VariantCounts): VariantBlock[] {
  return Array.from({ length: seconds * 2 }, (_, index) => {
    const from = until - (seconds * 2 - index) * 500
    return { from, until: from + 500, bounds: [0.001, 0.1], errorsUnknown: null, on, off }
  })
}

function requestsOf(variantBlocks: VariantBlock[], label = true): VariantMonitorState['requests'] {
  const value: RecentRequests = {
    variants: new Set(label ? (['on', 'off'] as const) : []),
    variantBlocks,
    countLast: () => {
      throw new Error('not used')
    },
  }
  return { value, at: 0 }
}

test('each block since the change of the flag is compared once, and none before it', () => {
  const monitor = createMonitor()
  monitor.update({ now: 100_000, flag: flag(50), requests: requestsOf(blocks(100_000, 30, counts(20), counts(20))) })
  expect(monitor.comparison()).toMatchObject({ on: { requests: 0 }, errors: { verdict: 'inconclusive' } })
  const after = requestsOf(blocks(110_000, 20, counts(20), counts(20)))
  monitor.update({ now: 110_000, flag: flag(50), requests: after })
  monitor.update({ now: 110_250, flag: flag(50), requests: after })
  expect(monitor.comparison()).toMatchObject({ on: { requests: 400 }, off: { requests: 400 }, seconds: 10 })
  // The next step begins anew.
  monitor.update({ now: 110_500, flag: flag(75, 2), requests: after })
  expect(monitor.comparison()).toMatchObject({ on: { requests: 0 } })
})

test('without the label there is no control group; with one variant only, after a minute', () => {
  const monitor = createMonitor()
  const partly = { now: 0, flag: flag(50) }
  monitor.update({ ...partly, requests: requestsOf([], false) })
  expect(monitor.comparison()).toBeNull()
  monitor.update({ ...partly, now: 30_000, requests: requestsOf(blocks(30_000, 30, counts(0), counts(20))) })
  expect(monitor.comparison()).toMatchObject({ latency: { verdict: 'inconclusive' } })
  monitor.update({ ...partly, now: 61_000, requests: requestsOf(blocks(61_000, 30, counts(0), counts(20))) })
  expect(monitor.comparison()).toBeNull()
  monitor.update({ ...partly, now: 62_000, requests: requestsOf(blocks(62_000, 1, counts(20), counts(20))) })
  expect(monitor.comparison()).not.toBeNull()
})

test('an application that cannot be read is compared no longer after a minute', () => {
  const monitor = createMonitor()
  const partly = { flag: flag(50) }
  monitor.update({ ...partly, now: 0, requests: requestsOf(blocks(0, 1, counts(20), counts(20))) })
  monitor.update({ ...partly, now: 30_000, requests: requestsOf(blocks(30_000, 30, counts(20), counts(20))) })
  const unreadable = { unknown: 'it does not answer' }
  monitor.update({ ...partly, now: 60_000, requests: unreadable })
  expect(monitor.comparison()).toMatchObject({ on: { requests: 1_200 } })
  monitor.update({ ...partly, now: 91_000, requests: unreadable })
  expect(monitor.comparison()).toBeNull()
})

test('off and at 100% nothing is compared; the last control group gives limits until the flag is off or an hour has passed', () => {
  const monitor = createMonitor()
  const recent = requestsOf(blocks(60_000, 60, counts(20), counts(20, 2)))
  monitor.update({ now: 0, flag: flag(50), requests: recent })
  monitor.update({ now: 60_000, flag: flag(50), requests: recent })
  expect(monitor.controlLimits()).toBeNull()
  const ifFull = monitor.limitsIfFull({ now: 60_250, flag: flag(50), requests: recent })
  const full = flag(100, 2)
  monitor.update({ now: 60_250, flag: full, requests: recent })
  expect(monitor.comparison()).toBeNull()
  // By hand: the 95th percentile between 0.001 and 0.1, and 10% of requests fail, each plus 10%.
  expect(monitor.controlLimits()?.latency).toBeCloseTo(1.1 * (0.001 + 0.95 * 0.099), 10)
  expect(monitor.controlLimits()?.errorRatio).toBeCloseTo(0.11, 10)
  expect(ifFull).toEqual(monitor.controlLimits())
  monitor.update({ now: 60_250 + 3_600_000, flag: full, requests: recent })
  expect(monitor.controlLimits()).not.toBeNull()
  monitor.update({ now: 60_251 + 3_600_000, flag: full, requests: recent })
  expect(monitor.controlLimits()).toBeNull()
})

test('new code that fails is found within seconds, and is a fault until the flag changes', () => {
  const monitor = createMonitor()
  monitor.update({ now: 0, flag: flag(50), requests: requestsOf([]) })
  const failing = blocks(4_000, 4, counts(20, 20), counts(20))
  monitor.update({ now: 4_000, flag: flag(50), requests: requestsOf(failing) })
  expect(monitor.comparison()?.errors).toMatchObject({ verdict: 'fail' })
  expect(monitor.comparison()?.errors.detail).toBe(
    '160 of 160 requests failed (100%) by type, 0 of 160 requests failed (0%) by legacy columns (limit 0.1%)',
  )
  monitor.update({ now: 4_500, flag: flag(0, 2, false), requests: requestsOf(failing) })
  expect(monitor.comparison()).toBeNull()
})
