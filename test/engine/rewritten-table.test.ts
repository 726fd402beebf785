import { expect, test } from 'vitest'
import { countTypedRows, withSession, countWrongRows } from '../support/faultInjection.ts'
import { compareWithOracle, readOracle, startRandomWriters } from '../crash/randomWriters.ts'
import { onNthArrival } from '../support/failpoints.ts'
import { withExpandedTable, plainTable, recordEngineWrites, type EngineTableOptions } from './expandedTable.ts'
import { waitFor } from '../support/waitFor.ts'

test.each(['vacuum full public.vehicles', 'cluster public.vehicles using vehicles_name_idx'])(
  '%s during a backfill, with concurrent writers: every row is correct',
  async (statement) => {
    const shape: EngineTableOptions = {
      create: plainTable(8_000, `repeat('x', n % 90)`),
      watched: { seconds: 0.02 },
    }
    await withExpandedTable(shape, async ({ url, sql, agent }) => {
      const oracle = await readOracle(sql)
      const { id } = await agent.request('backfill', {
        batchSize: 100,
        workers: 2,
        maximumBatchSeconds: 5,
      })
      const writers = startRandomWriters(url, oracle, 2)
      for (const rows of [1_000, 2_500]) {
        await waitFor('rows are written', async () => (await countTypedRows(sql)) > rows)
        await withSession(url, (session) => session.unsafe(statement))
      }
      await recordEngineWrites(sql, 0)
      const ended = await agent.waitForEnd(id)
      await writers.stop()
      expect(ended).toMatchObject({ state: 'succeeded', error: null })
      expect((await compareWithOracle(sql, oracle)).slice(0, 5)).toEqual([])
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
])('%s during the sweep: a row that moves behind the sweep is found', async (statements) => {
  const then = { run: async (): Promise<void> => undefined }
  const { seen, reached } = onNthArrival('sweep.looked', 1, () => then.run())
  await withExpandedTable({ create: plainTable(20_000), reached }, async ({ url, sql, agent }) => {
    await agent.run('backfill')
    seen.arrivals = 0
    then.run = () =>
      withSession(url, async (session) => {
        // Written without the trigger.
        await session.unsafe(`
          alter table public.vehicles disable trigger "~sti_derive";
          update public.vehicles set type = 'Boat', name = '!' where id = 19990;
          alter table public.vehicles enable always trigger "~sti_derive"`)
        for (const statement of statements.split('; ')) await session.unsafe(statement)
      })
    const { result } = await agent.run('backfill')
    expect(await countWrongRows(sql)).toBe(0)
    expect(result).toMatchObject({
      writtenRows: 1,
      passedRows: (await sql`select from public.vehicles`).length,
    })
  })
})
