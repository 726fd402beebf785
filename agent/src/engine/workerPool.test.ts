import { expect, test } from 'vitest'
import { runWorkerPool, type KeepWorking } from './workerPool.ts'

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Lanes of some steps each, and whoever is at them; a step looks whether it is still wanted, as a batch does. */
function work(lanes: number, steps: number) {
  const left = Array.from({ length: lanes }, () => steps)
  const held = new Set<number>()
  const now = { working: 0, most: 0, asked: false, fails: null as Error | null, done: 0 }
  const worker = async (stays: KeepWorking): Promise<boolean> => {
    now.working++
    now.most = Math.max(now.most, now.working)
    try {
      for (;;) {
        const lane = left.findIndex((rest, index) => rest > 0 && !held.has(index))
        if (lane === -1) return true
        held.add(lane)
        try {
          while (left[lane]! > 0) {
            if (!stays() || now.asked) return false
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
  return { now, worker, rest: () => left.reduce((sum, one) => sum + one, 0) }
}

test.each([1, 2, 3, 8])('%i workers do all there is, once, and nobody is left', async (workers) => {
  const { now, worker, rest } = work(8, 5)
  expect(await runWorkerPool(() => workers, worker)).toBe(true)
  expect({ ...now, rest: rest() }).toMatchObject({ rest: 0, done: 40, working: 0, most: workers })
})

test('as many work as are wanted, while that changes', async () => {
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
])(
  'what a worker leaves that is sent away is taken up, also when another one ends %s it, having found nothing',
  async (_, goodbyeMs) => {
    const { now, worker, rest } = work(2, 60)
    let wanted = 3
    let calls = 0
    const running = runWorkerPool(
      () => wanted,
      async (stays) => {
        if (calls++ > 0) return await worker(stays)
        // The two others hold all there is, and its connection takes a while to end.
        await pause(goodbyeMs)
        return true
      },
    )
    await pause(150)
    wanted = 1
    expect(await running).toBe(true)
    expect({ rest: rest(), working: now.working }).toEqual({ rest: 0, working: 0 })
  },
)

test('a worker that is wanted again at the moment it ends works again', async () => {
  const { now, worker } = work(4, 1_000)
  let wanted = 3
  const running = runWorkerPool(
    () => wanted,
    async (stays) => {
      const end = await worker(stays)
      // It says goodbye to its connection; meanwhile somebody wants it again.
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

test('the first error ends all of them, each at its own safe point, and is the one that is thrown', async () => {
  const { now, worker, rest } = work(6, 100)
  let calls = 0
  const running = runWorkerPool(
    () => 3,
    async (stays) => {
      if (calls++ !== 1) return await worker(stays)
      await pause(50)
      throw new Error('first')
    },
  )
  await expect(running).rejects.toThrow('first')
  expect(now.working).toBe(0)
  expect(rest()).toBeGreaterThan(0)
})

test('asked to stop, one that had found nothing left does not speak for the others', async () => {
  const { now, worker, rest } = work(2, 100)
  let calls = 0
  const running = runWorkerPool(
    () => 3,
    async (stays) => {
      if (calls++ !== 2) return await worker(stays)
      // There is no lane for it, and its connection takes long to end.
      await pause(120)
      return true
    },
  )
  await pause(60)
  now.asked = true
  expect(await running).toBe(false)
  expect(rest()).toBeGreaterThan(0)
})
