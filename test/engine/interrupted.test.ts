import { expect, test } from 'vitest'
import { steer, until } from '../safety/asking.ts'
import { backends, typed, wrong } from '../safety/disturbing.ts'
import { FROZEN, FROZEN_FROM_THE_START, refuse } from './frozen.ts'
import { expectEachBatchOnce, full, recorded, striped } from './moves.ts'
import { once } from './once.ts'
import { expanded, lanes, plain, watch, watched } from './rows.ts'

const BACKFILL = { batchSize: 100, maximumBatchSeconds: 5 }

test.each([1, 2])(
  'a pause inside a striped range counts exactly, and it goes on with the next stripe: %i workers',
  async (workers) => {
    await expanded({ create: full(6_000), watched: { seconds: 0.02 } }, async ({ sql, agent }) => {
      await sql`update public.vehicles set name = name where id <= 300`
      const all = (await sql`select from public.vehicles`).length
      // Written by the application since expand: passed, and not written again.
      const right = await typed(sql)
      await recorded(sql)
      const { id } = await agent.request('backfill', { ...BACKFILL, workers })
      for (const batches of [3, 6]) {
        await striped(sql, id, batches)
        await steer(agent, id, 'pause')
        const { progress } = await agent.ended(id)
        const [lane] = await lanes(sql, id)
        expect(lane!.striped!.done).toBeGreaterThanOrEqual(batches)
        const written = (await typed(sql)) - right
        expect(await watched(sql)).toMatchObject({ rows: written })
        expect(lane!.written).toBe(written)
        expect(progress).toMatchObject({ writtenRows: written, processedRows: lane!.passed + lane!.striped!.written })
        expect(await backends(sql, 'backfill')).toEqual([])
        await steer(agent, id, 'resume')
      }
      await watch(sql, 0)
      const ended = await until('it ends', async () => {
        const operation = await agent.ended(id)
        return operation.state !== 'paused' && operation
      })
      expect(ended).toMatchObject({
        state: 'succeeded',
        result: { passedRows: all, writtenRows: all - right, failedRows: 0 },
      })
      expect(await wrong(sql)).toBe(0)
      expect(await watched(sql)).toMatchObject({ rows: all - right })
      expect(await expectEachBatchOnce(sql)).toBeGreaterThan(8)
    })
  },
)

test('paused while it isolates a row in the last block, a lane goes on behind that row', async () => {
  const agentOf = { pause: async (): Promise<void> => undefined }
  const { reached } = once('backfill.poison', 1, () => agentOf.pause())
  await expanded({ create: [plain(40), FROZEN_FROM_THE_START], ...FROZEN, reached }, async ({ sql, agent }) => {
    await refuse(sql, [20])
    const { id } = await agent.request('backfill')
    agentOf.pause = async () => {
      await steer(agent, id, 'pause')
      // Until the agent has heard it.
      await new Promise((resolve) => setTimeout(resolve, 1_200))
    }
    expect((await agent.ended(id)).state).toBe('paused')
    const [lane] = await lanes(sql, id)
    expect(lane).toMatchObject({ position: ['(0,20)'], failed: 1, finished: false })
    await steer(agent, id, 'resume')
    const ended = await until('it ends', async () => {
      const operation = await agent.ended(id)
      return operation.state !== 'paused' && operation
    })
    expect(ended.result).toMatchObject({ passedRows: 40, writtenRows: 39, failedRows: 1 })
    // By the lane, and not by the sweep.
    expect((await lanes(sql, id))[0]).toMatchObject({ written: 39, finished: true })
  })
})
