import { expect, test } from 'vitest'
import { resolveLimits, findLoosenedLimits, type ThrottleConfig } from './limits.ts'

const plain: ThrottleConfig = { throttle: {}, signals: [{ name: 'queue', limit: 100 }] }

test('the operation’s limit overrides the file’s, and the file’s overrides the default, tier by tier', () => {
  const file: ThrottleConfig = {
    throttle: { lockWaiters: 3, slotRetainedBytes: { abort: 10e9 }, signals: { queue: { abort: 500 } } },
    signals: plain.signals,
  }
  expect(resolveLimits(plain).lockWaiters.pause).toBe(0)
  expect(resolveLimits(file).lockWaiters.pause).toBe(3)
  expect(resolveLimits(file, { lockWaiters: 1 }).lockWaiters.pause).toBe(1)
  expect(resolveLimits(file).slotRetainedBytes).toEqual({ pace: null, pause: 4 * 1024 ** 3, abort: 10e9 })
  expect(resolveLimits(file, { slotRetainedBytes: { pause: 5 } }).slotRetainedBytes).toMatchObject({
    pause: 5,
    abort: 10e9,
  })
  expect(resolveLimits(file, { slotRetainedBytes: { abort: 'none' } }).slotRetainedBytes.abort).toBeNull()
  expect(resolveLimits(file, { slotRetainedBytes: 'none' }).slotRetainedBytes).toMatchObject({
    pause: null,
    abort: null,
  })
  expect(resolveLimits(plain).signals).toEqual({ queue: { pace: null, pause: 100, abort: null } })
  expect(resolveLimits(file, { signals: { queue: 50 } }).signals).toEqual({
    queue: { pace: null, pause: 50, abort: 500 },
  })
})

test('a number removes a lower abort limit; a paced limit rests above the number and waits above twice the number', () => {
  expect(resolveLimits(plain, { slotRetainedBytes: 32e9 }).slotRetainedBytes).toMatchObject({
    pause: 32e9,
    abort: null,
  })
  expect(resolveLimits(plain, { walBytesPerSecond: 5e6 }).walBytesPerSecond).toEqual({
    pace: 5e6,
    pause: 10e6,
    abort: null,
  })
})

test('a limit is looser if it accepts more than the file does in any tier', () => {
  const file: ThrottleConfig = { throttle: { apiLatencyP95Seconds: 0.2 }, signals: plain.signals }
  expect(findLoosenedLimits(file, { lockWaiters: 0, apiLatencyP95Seconds: 0.1, signals: { queue: 99 } })).toEqual([])
  expect(findLoosenedLimits(file, { autovacuumSeconds: 60, walBytesPerSecond: 1 })).toEqual([])
  expect(findLoosenedLimits(file, { lockWaiters: 1, signals: { queue: 101 } })).toEqual([
    'lockWaiters',
    'signals.queue',
  ])
  expect(findLoosenedLimits(file, { apiLatencyP95Seconds: { pace: 'none' } })).toEqual(['apiLatencyP95Seconds'])
  expect(findLoosenedLimits(file, { slotRetainedBytes: { abort: 'none' } })).toEqual(['slotRetainedBytes'])
  expect(findLoosenedLimits(file, { connectionsRatio: 'none' })).toEqual(['connectionsRatio'])
})
