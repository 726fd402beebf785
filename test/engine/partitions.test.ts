import { expect, test } from 'vitest'
import { countTypedRows, withSession, countWrongRows } from '../support/faultInjection.ts'
import { insertIntoPartition, partitionName, partitionedTable, partitionNames } from './partitionedVehicles.ts'
import { withExpandedTable, readLanes, sumOf, type EngineTableOptions } from './expandedTable.ts'
import { waitFor } from '../support/waitFor.ts'

const SIZES = [300, 0, 300, 300]

test.each<[string, string, number]>([
  [
    'attached',
    `create table public.vehicles_4 (like public.vehicles including all);
     ${insertIntoPartition(4, 300, 'public.vehicles_4')}
     alter table public.vehicles attach partition public.vehicles_4 for values from (400000) to (500000)`,
    1_200,
  ],
  ['detached before its lane', `alter table public.vehicles detach partition ${partitionName(3)}`, 600],
  ['dropped before its lane', `drop table ${partitionName(3)}`, 600],
  ['detached within its lane', `alter table public.vehicles detach partition ${partitionName(0)}`, 600],
  ['dropped within its lane', `drop table ${partitionName(0)}`, 600],
])('a partition that is %s while others are written', async (_, statement, rows) => {
  const shape: EngineTableOptions = {
    create: partitionedTable(SIZES),
    watched: { seconds: 0.02, tables: partitionNames(4) },
  }
  await withExpandedTable(shape, async ({ url, sql, agent }) => {
    const { id } = await agent.request('backfill', {
      batchSize: 40,
      maximumBatchSeconds: 5,
    })
    await waitFor('the first lane is written', async () => (await countTypedRows(sql)) > 80)
    expect(await countTypedRows(sql)).toBeLessThan(290)
    await withSession(url, (session) => session.unsafe(statement))
    const ended = await agent.waitForEnd(id)
    expect(ended).toMatchObject({
      state: 'succeeded',
      error: null,
      result: { passedRows: rows, failedRows: 0 },
    })
    expect(await countTypedRows(sql)).toBe(rows)
    // Written by separate lanes and not by the sweep.
    if (rows > 900) expect(sumOf(await readLanes(sql, id), (lane) => lane.written)).toBe(rows)
    expect(await countWrongRows(sql)).toBe(0)
  })
})

test('a detached partition is no longer written', async () => {
  const shape: EngineTableOptions = {
    create: partitionedTable(SIZES),
    watched: { seconds: 0.02, tables: partitionNames(4) },
  }
  await withExpandedTable(shape, async ({ url, sql, agent }) => {
    const { id } = await agent.request('backfill', {
      batchSize: 40,
      maximumBatchSeconds: 5,
    })
    await waitFor('the first lane is written', async () => (await countTypedRows(sql)) > 80)
    await withSession(url, (session) =>
      session.unsafe(`alter table public.vehicles detach partition ${partitionName(2)}`),
    )
    expect(await agent.waitForEnd(id)).toMatchObject({ state: 'succeeded' })
    const theirs = await sql.unsafe(`select from ${partitionName(2)} where type is not null`)
    expect(theirs.length).toBe(0)
  })
})
