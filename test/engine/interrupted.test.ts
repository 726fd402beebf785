import { expect, test } from 'vitest'
import { steer, until } from '../safety/asking.ts'
import { backends, typed, wrong } from '../safety/disturbing.ts'
import { expectEachBatchOnce, full, recorded, striped } from './moves.ts'
import { expanded, lanes, watch, watched } from './rows.ts'

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
