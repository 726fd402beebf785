import { expect, test } from 'vitest'
import { countTypedRows, withSession, countWrongRows } from '../support/faultInjection.ts'
import { onNthArrival } from '../support/failpoints.ts'
import { partitionName, partitionedTable, partitionNames } from './partitionedVehicles.ts'
import { withExpandedTable, readLanes, sumOf, readEngineWrites, type EngineTableOptions } from './expandedTable.ts'
import { waitFor } from '../support/waitFor.ts'

const SIZES = [300, 0, 300, 300]

test.each(['detach partition', 'drop'])('%s during the sweep', async (how) => {
  const then = { run: async (): Promise<void> => undefined }
  const { seen, reached } = onNthArrival('sweep.looked', 1, () => then.run())
  await withExpandedTable({ create: partitionedTable(SIZES), reached }, async ({ url, sql, agent }) => {
    await agent.run('backfill')
    seen.arrivals = 0
    then.run = () =>
      withSession(url, async (session) => {
        await session.unsafe(
          how === 'drop' ? `drop table ${partitionName(3)}` : `alter table public.vehicles ${how} ${partitionName(3)}`,
        )
      })
    expect((await agent.run('backfill')).result).toMatchObject({
      passedRows: 600,
      writtenRows: 0,
    })
    expect(await countWrongRows(sql)).toBe(0)
  })
})

test('fifty small partitions and an empty one, three workers, and rows that move between partitions during the run', async () => {
  const sizes = [0, ...Array<number>(50).fill(40)]
  const shape: EngineTableOptions = {
    create: partitionedTable(sizes),
    watched: { seconds: 0.01, tables: partitionNames(51) },
  }
  await withExpandedTable(shape, async ({ sql, agent }) => {
    const { id } = await agent.request('backfill', {
      batchSize: 30,
      workers: 3,
      maximumBatchSeconds: 5,
    })
    await waitFor('some are written', async () => (await countTypedRows(sql)) > 200)
    // Moves rows from unwritten partitions into the empty one, behind the workers.
    await sql`update public.vehicles set id = id % 100000 + 1000 where id between 5000000 and 5000020`
    await sql`update public.vehicles set id = id + 50, is_truck = not is_truck where id % 100000 = 40`
    await sql`insert into public.vehicles select id + 200, name, is_truck, is_bike from public.vehicles where id % 100000 = 1`
    const ended = await agent.waitForEnd(id)
    const all = (await sql`select from public.vehicles`).length
    expect(all).toBeGreaterThan(2_040)
    expect(ended).toMatchObject({
      state: 'succeeded',
      result: { passedRows: all, failedRows: 0 },
    })
    expect(await countWrongRows(sql)).toBe(0)
    expect(sumOf(await readLanes(sql, id), (lane) => lane.written)).toBe((await readEngineWrites(sql)).rows)
    expect(ended.result).toMatchObject({
      writtenRows: (await readEngineWrites(sql)).rows,
    })
  })
})
