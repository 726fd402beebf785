import { expect, test } from 'vitest'
import { until } from '../safety/asking.ts'
import { typed, withSession, wrong } from '../safety/disturbing.ts'
import { differences, oracleOf, startWriters } from '../crash/writers.ts'
import { once } from './once.ts'
import { expanded, plain, watch, type Shape } from './rows.ts'

test.each(['vacuum full public.vehicles', 'cluster public.vehicles using vehicles_name_idx'])(
  '%s in the middle of a backfill, with others writing: every row is right',
  async (statement) => {
    const shape: Shape = {
      create: plain(8_000, `repeat('x', n % 90)`),
      watched: { seconds: 0.02 },
    }
    await expanded(shape, async ({ url, sql, agent }) => {
      const oracle = await oracleOf(sql)
      const { id } = await agent.request('backfill', {
        batchSize: 100,
        workers: 2,
        maximumBatchSeconds: 5,
      })
      const writers = startWriters(url, oracle, 2)
      for (const rows of [1_000, 2_500]) {
        await until('rows are written', async () => (await typed(sql)) > rows)
        await withSession(url, (session) => session.unsafe(statement))
      }
      await watch(sql, 0)
      const ended = await agent.ended(id)
      await writers.stop()
      expect(ended).toMatchObject({ state: 'succeeded', error: null })
      expect((await differences(sql, oracle)).slice(0, 5)).toEqual([])
      expect((await agent.run('validation')).result).toMatchObject({
        verdict: 'pass',
        rows: oracle.size,
      })
    })
  },
)

test.each([
  'delete from public.vehicles where id < 18000; vacuum full public.vehicles',
  'cluster public.vehicles using vehicles_name_idx',
])(
  '%s, in the middle of the sweep: a row that is moved to where it has looked already is found',
  async (statements) => {
    const then = { run: async (): Promise<void> => undefined }
    const { seen, reached } = once('sweep.looked', 1, () => then.run())
    await expanded({ create: plain(20_000), reached }, async ({ url, sql, agent }) => {
      await agent.run('backfill')
      seen.arrivals = 0
      then.run = () =>
        withSession(url, async (session) => {
          // By a hand that went past the trigger.
          await session.unsafe(`
          alter table public.vehicles disable trigger "~sti_derive";
          update public.vehicles set type = 'Boat', name = '!' where id = 19990;
          alter table public.vehicles enable always trigger "~sti_derive"`)
          for (const statement of statements.split('; ')) await session.unsafe(statement)
        })
      const { result } = await agent.run('backfill')
      expect(await wrong(sql)).toBe(0)
      expect(result).toMatchObject({
        writtenRows: 1,
        passedRows: (await sql`select from public.vehicles`).length,
      })
    })
  },
)
