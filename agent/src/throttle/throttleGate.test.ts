import { expect } from 'vitest'
import { createThrottleGate } from './throttleGate.ts'
import type { Directive, RunContext } from '../kind/kind.ts'
import { calmReadings } from './testing/calmReadings.ts'
import { realTimeTest as test } from '../../../test/support/realTime.ts'

/** A run whose lock waiters, parameters, and directive the test sets; all other signals are calm. */
function createTestRun() {
  const now = { waiters: 0, asked: 'continue' as Directive, parameters: {} as Record<string, unknown> }
  const events: string[] = []
  const pressure = calmReadings({
    get lockWaiters() {
      return { waiters: now.waiters, seconds: 0 }
    },
  })
  const run = {
    operation: { kind: 'backfill' },
    rollout: { file: { throttle: {}, signals: [] } },
    pressure,
    directive: () => now.asked,
    parameters: () => now.parameters,
    setWaiting: () => undefined,
    recordEvent: (_kind: string, message: string) => Promise.resolve(void events.push(message)),
  } as unknown as RunContext
  return { now, events, run }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

test('eight workers wait for one reason, which is recorded once; a wait that returns immediately is not recorded again', async () => {
  const { now, events, run } = createTestRun()
  const gate = createThrottleGate(run, () => undefined)
  const workers = Array.from({ length: 8 }, () => gate.worker())
  for (let round = 0; round < 2; round++) {
    now.waiters = 1
    await pause(60)
    const passed: boolean[] = []
    const all = workers.map(async (mayContinue) => void passed.push(await mayContinue()))
    await pause(300)
    expect(passed).toEqual([])
    now.waiters = 0
    const began = performance.now()
    await Promise.all(all)
    expect(performance.now() - began).toBeGreaterThan(250)
    expect(passed).toEqual(Array(8).fill(true))
  }
  expect(events).toEqual(['Waiting: 1 session is waiting for a lock held by STI', 'Resumed'])
})

test('above an abort limit, every worker stops; a resting worker also stops on request', async () => {
  const { now, run } = createTestRun()
  const gate = createThrottleGate(run, () => undefined)
  const [first, second] = [gate.worker(), gate.worker()]
  now.parameters = { niceRatio: 50, limits: { lockWaiters: { abort: 2 } } }
  expect(await first()).toBe(true)
  await pause(100)
  const resting = first()
  await pause(300)
  now.asked = 'pause'
  const began = performance.now()
  expect(await resting).toBe(false)
  expect(performance.now() - began).toBeLessThan(1_000)
  now.asked = 'continue'
  now.parameters = { limits: { lockWaiters: { abort: 2 } } }
  now.waiters = 3
  for (const worker of [first, second])
    await expect(worker()).rejects.toMatchObject({
      code: 'trouble',
      message: expect.stringMatching(/3 sessions .* then resume\.$/) as string,
    })
})

test('a worker rests in proportion to its own work, not to its waits', async () => {
  const { now, run } = createTestRun()
  now.parameters = { niceRatio: 2 }
  const mayContinue = createThrottleGate(run, () => undefined).worker()
  await pause(200)
  const times: number[] = []
  const timed = async (): Promise<void> => {
    const began = performance.now()
    await mayContinue()
    times.push(performance.now() - began)
  }
  await timed()
  await pause(200)
  await timed()
  await timed()
  expect(times[0]).toBeLessThan(100)
  expect(times[1]).toBeGreaterThan(390)
  expect(times[2]).toBeLessThan(100)
})

test('timers that are late do not lengthen the rests of short batches', async () => {
  const { now, run } = createTestRun()
  now.parameters = { niceRatio: 3 }
  const mayContinue = createThrottleGate(run, () => undefined).worker()
  await mayContinue()
  let [worked, rested] = [0, 0]
  for (let batch = 0; batch < 100; batch++) {
    const began = performance.now()
    while (performance.now() - began < 1);
    const ended = performance.now()
    await mayContinue()
    worked += ended - began
    rested += performance.now() - ended
  }
  expect(rested / worked).toBeGreaterThan(2.7)
  expect(rested / worked).toBeLessThan(3.3)
})
