import { expect, test } from 'vitest'
import { until } from '../safety/asking.ts'
import { typed, withSession, wrong } from '../safety/disturbing.ts'
import { insert, partition, partitioned, partitions } from './partitions.ts'
import { expanded, lanes, sum, type Shape } from './rows.ts'

const SIZES = [300, 0, 300, 300]

test.each<[string, string, number]>([
  [
    'attached',
    `create table public.vehicles_4 (like public.vehicles including all);
     ${insert(4, 300, 'public.vehicles_4')}
     alter table public.vehicles attach partition public.vehicles_4 for values from (400000) to (500000)`,
    1_200,
  ],
  ['detached before its lane', `alter table public.vehicles detach partition ${partition(3)}`, 600],
  ['dropped before its lane', `drop table ${partition(3)}`, 600],
  ['detached within its lane', `alter table public.vehicles detach partition ${partition(0)}`, 600],
  ['dropped within its lane', `drop table ${partition(0)}`, 600],
])('a partition that is %s while others are written', async (_, statement, rows) => {
  const shape: Shape = {
    create: partitioned(SIZES),
    watched: { seconds: 0.02, tables: partitions(4) },
  }
  await expanded(shape, async ({ url, sql, agent }) => {
    const { id } = await agent.request('backfill', {
      batchSize: 40,
      maximumBatchSeconds: 5,
    })
    await until('the first lane is written', async () => (await typed(sql)) > 80)
    expect(await typed(sql)).toBeLessThan(290)
    await withSession(url, (session) => session.unsafe(statement))
    const ended = await agent.ended(id)
    expect(ended).toMatchObject({
      state: 'succeeded',
      error: null,
      result: { passedRows: rows, failedRows: 0 },
    })
    expect(await typed(sql)).toBe(rows)
    // In lanes of their own, and not by the sweep.
    if (rows > 900) expect(sum(await lanes(sql, id), (lane) => lane.written)).toBe(rows)
    expect(await wrong(sql)).toBe(0)
  })
})

test('a partition that was detached is not written any more', async () => {
  const shape: Shape = {
    create: partitioned(SIZES),
    watched: { seconds: 0.02, tables: partitions(4) },
  }
  await expanded(shape, async ({ url, sql, agent }) => {
    const { id } = await agent.request('backfill', {
      batchSize: 40,
      maximumBatchSeconds: 5,
    })
    await until('the first lane is written', async () => (await typed(sql)) > 80)
    await withSession(url, (session) => session.unsafe(`alter table public.vehicles detach partition ${partition(2)}`))
    expect(await agent.ended(id)).toMatchObject({ state: 'succeeded' })
    const theirs = await sql.unsafe(`select from ${partition(2)} where type is not null`)
    expect(theirs.length).toBe(0)
  })
})
