import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createInterval } from './interval.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** Runs that the test ends. */
function createManualRuns(): { readonly run: () => Promise<void>; readonly ends: (() => void)[] } {
  const ends: (() => void)[] = []
  return { run: () => new Promise((resolve) => ends.push(resolve)), ends }
}

const onError = (error: unknown): void => expect.unreachable(String(error))

test('runs immediately, and then once per interval, from start to start', async () => {
  const startedAt: number[] = []
  const interval = createInterval({
    intervalMs: 100,
    run: async () => {
      startedAt.push(performance.now())
      await new Promise((resolve) => setTimeout(resolve, 30))
    },
    onError,
  })
  const begin = performance.now()
  interval.start()
  interval.start()
  await vi.advanceTimersByTimeAsync(250)
  expect(startedAt.map((at) => at - begin)).toEqual([0, 100, 200])
  interval.setIntervalMs(10)
  await vi.advanceTimersByTimeAsync(85)
  // A timer of 0 ms is one of 1 ms.
  expect(startedAt.map((at) => 10 * Math.floor((at - begin) / 10))).toEqual([0, 100, 200, 300, 330])
  const stopped = interval.stop()
  await vi.advanceTimersByTimeAsync(1_000)
  await stopped
  expect(startedAt.length).toBe(5)
})

test('runNow joins the run in progress, and stop waits for it', async () => {
  const { run, ends } = createManualRuns()
  const interval = createInterval({ intervalMs: 100, run, onError })
  interval.start()
  const [first, second] = [interval.runNow(), interval.runNow()]
  expect(first).toBe(second)
  await vi.advanceTimersByTimeAsync(500)
  expect(ends.length).toBe(1)
  let stopped = false
  const stopping = interval.stop().then(() => (stopped = true))
  await vi.advanceTimersByTimeAsync(500)
  expect(stopped).toBe(false)
  ends[0]!()
  await stopping
  await interval.runNow()
  await vi.advanceTimersByTimeAsync(500)
  expect(ends.length).toBe(1)
})

test('a run that outlives a stop and a restart neither delays the restart nor starts a second chain', async () => {
  const { run, ends } = createManualRuns()
  const interval = createInterval({ intervalMs: 100, run, onError })
  interval.start()
  void interval.stop()
  interval.start()
  expect(ends.length).toBe(2)
  ends[0]!()
  await vi.advanceTimersByTimeAsync(1_000)
  expect(ends.length).toBe(2)
  ends[1]!()
  await vi.advanceTimersByTimeAsync(100)
  expect(ends.length).toBe(3)
})

test('runNow works before the start and postpones the next run', async () => {
  let runs = 0
  const interval = createInterval({ intervalMs: 100, delayFirstRun: true, run: () => void runs++, onError })
  await interval.runNow()
  expect(runs).toBe(1)
  await vi.advanceTimersByTimeAsync(500)
  interval.start()
  await vi.advanceTimersByTimeAsync(99)
  expect(runs).toBe(1)
  await interval.runNow()
  await vi.advanceTimersByTimeAsync(99)
  expect(runs).toBe(2)
  await vi.advanceTimersByTimeAsync(1)
  expect(runs).toBe(3)
  await interval.stop()
})

test('a failed run is reported, and the next one follows; a run that hangs is abandoned', async () => {
  const errors: unknown[] = []
  let runs = 0
  const failing = createInterval({
    intervalMs: 100,
    run() {
      runs++
      throw new Error('refused')
    },
    onError: (error) => errors.push((error as Error).message),
  })
  failing.start()
  await vi.advanceTimersByTimeAsync(150)
  await failing.stop()
  expect([runs, errors]).toEqual([2, ['refused', 'refused']])

  const { run, ends } = createManualRuns()
  const hanging = createInterval({ intervalMs: 100, abandonAfterMs: 300, run, onError })
  hanging.start()
  await vi.advanceTimersByTimeAsync(350)
  expect(ends.length).toBe(2)
  const stopping = hanging.stop()
  await vi.advanceTimersByTimeAsync(300)
  await stopping
})
