import { expect, test } from 'vitest'
import { steer, until } from '../safety/asking.ts'
import { typed, withSession, wrong } from '../safety/disturbing.ts'
import { expanded, plain, watched } from './rows.ts'

test('rows that the sweep has to write come in such batches, too', async () => {
  await expanded(
    {
      create: plain(6_000, `case when n % 400 < 40 then repeat('x', 200 + n % 1500) else '' end`),
      watched: { seconds: 0.02 },
    },
    async ({ url, sql, agent }) => {
      const { id } = await agent.request('backfill', { batchSize: 100, maximumBatchSeconds: 5 })
      await until('a third is written', async () => (await typed(sql)) > 1_700)
      await steer(agent, id, 'pause')
      await agent.ended(id)
      // What was written goes, and what is left moves to where the lane has been already.
      await withSession(url, async (session) => {
        await session`delete from public.vehicles where type is not null`
        await session`vacuum full public.vehicles`
      })
      await sql`truncate public.watched`
      const left = await sql`select from public.vehicles`
      await steer(agent, id, 'resume')
      expect(await agent.ended(id)).toMatchObject({ state: 'succeeded', result: { passedRows: left.length } })
      expect(await wrong(sql)).toBe(0)
      const seen = await watched(sql)
      expect(seen.rows).toBe(left.length)
      expect(seen.largest).toBeLessThanOrEqual(100)
    },
  )
})
