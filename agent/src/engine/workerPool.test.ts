import { expect, test } from 'vitest'
import { runWorkerPool, type KeepWorking } from './workerPool.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Simulates workers on lanes of some steps each. Each step checks if the worker should continue, as a batch does. */
function work(lanes: number, steps: number) {
  const left = Array.from({ length: lanes }, () => steps)
  const held = new Set<number>()
  const now = { working: 0, most: 0, asked: false, fails: null as Error | null, done: 0 }
  const worker = async (keepWorking: KeepWorking): Promise<boolean> => {
    now.working++
    now.most = Math.max(now.most, now.working)
    try {
      for (;;) {
        const lane = left.findIndex((rest, index) => rest > 0 && !held.has(index))
        if (lane === -1) return true
        held.add(lane)
        try {
          while (left[lane]! > 0) {
            if (!keepWorking() || now.asked) return false
            await pause(5)
            if (now.fails !== null) throw now.fails
            left[lane]!--
            now.done++
          }
        } finally {
          held.delete(lane)
        }
      }
    } finally {
      now.working--
    }
  }
  return { now, worker, rest: () => left.reduce((sum, value) => sum + value, 0) }
}

test.each([1, 2, 3, 8])('%i workers finish all work once, and all of them end', async (workers) => {
  const { now, worker, rest } = work(8, 5)
  expect(await runWorkerPool(() => workers, worker)).toBe(true)
  expect({ ...now, rest: rest() }).toMatchObject({ rest: 0, done: 40, working: 0, most: workers })
})

test('the pool follows a changing number of desired workers', async () => {
  const { now, worker } = work(20, 1_000)
  let wanted = 1
  const running = runWorkerPool(() => wanted, worker)
  for (const next of [1, 4, 2, 5, 1]) {
    wanted = next
    await pause(400)
    expect(now.working).toBe(next)
  }
  now.asked = true
  expect(await running).toBe(false)
  expect(now.working).toBe(0)
})

test.each([
  ['before', 50],
  ['after', 400],
])('the unfinished lane of a dismissed worker is taken up, even if an idle worker ends %s it', async (_, closeMs) => {
  const { now, worker, rest } = work(2, 60)
  let wanted = 3
  let calls = 0
  const running = runWorkerPool(
    () => wanted,
    async (keepWorking) => {
      if (calls++ > 0) return await worker(keepWorking)
      // The other two hold all lanes, and this worker's connection takes time to close.
      await pause(closeMs)
      return true
    },
  )
  await pause(150)
  wanted = 1
  expect(await running).toBe(true)
  expect({ rest: rest(), working: now.working }).toEqual({ rest: 0, working: 0 })
})

test('a worker that is desired again while it ends is started again', async () => {
  const { now, worker } = work(4, 1_000)
  let wanted = 3
  const running = runWorkerPool(
    () => wanted,
    async (keepWorking) => {
      const end = await worker(keepWorking)
      // The number of desired workers changes while this worker closes its connection.
      if (!end) wanted = 3
      return end
    },
  )
  await pause(30)
  wanted = 1
  await pause(600)
  expect({ working: now.working, most: now.most }).toEqual({ working: 3, most: 3 })
  now.asked = true
  expect(await running).toBe(false)
})

test('the first error ends all workers at their safe points and is thrown', async () => {
  const { now, worker, rest } = work(6, 100)
  let calls = 0
  const running = runWorkerPool(
    () => 3,
    async (keepWorking) => {
      if (calls++ !== 1) return await worker(keepWorking)
      await pause(50)
      throw new Error('first')
    },
  )
  await expect(running).rejects.toThrow('first')
  expect(now.working).toBe(0)
  expect(rest()).toBeGreaterThan(0)
})

test('a stopped pool reports unfinished work even if one worker had found nothing to do', async () => {
  const { now, worker, rest } = work(2, 100)
  let calls = 0
  const running = runWorkerPool(
    () => 3,
    async (keepWorking) => {
      if (calls++ !== 2) return await worker(keepWorking)
      // No lane is left for this worker, and its connection takes time to close.
      await pause(120)
      return true
    },
  )
  await pause(60)
  now.asked = true
  expect(await running).toBe(false)
  expect(rest()).toBeGreaterThan(0)
})
