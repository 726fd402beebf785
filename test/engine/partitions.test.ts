import { expect, test } from 'vitest'
import { until } from '../safety/asking.ts'
import { typed, withSession, wrong } from '../safety/disturbing.ts'
import { once } from './once.ts'
import { insert, partition, partitioned, partitions } from './partitions.ts'
import { expanded, lanes, sum, watched, type Shape } from './rows.ts'

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

test.each(['detach partition', 'drop'])('%s in the middle of the sweep', async (how) => {
  const then = { run: async (): Promise<void> => undefined }
  const { seen, reached } = once('sweep.looked', 1, () => then.run())
  await expanded({ create: partitioned(SIZES), reached }, async ({ url, sql, agent }) => {
    await agent.run('backfill')
    seen.arrivals = 0
    then.run = () =>
      withSession(url, async (session) => {
        await session.unsafe(
          how === 'drop' ? `drop table ${partition(3)}` : `alter table public.vehicles ${how} ${partition(3)}`,
        )
      })
    expect((await agent.run('backfill')).result).toMatchObject({
      passedRows: 600,
      writtenRows: 0,
    })
    expect(await wrong(sql)).toBe(0)
  })
})

test('fifty small partitions and an empty one, three workers, and rows that move between partitions meanwhile', async () => {
  const sizes = [0, ...Array<number>(50).fill(40)]
  const shape: Shape = {
    create: partitioned(sizes),
    watched: { seconds: 0.01, tables: partitions(51) },
  }
  await expanded(shape, async ({ sql, agent }) => {
    const { id } = await agent.request('backfill', {
      batchSize: 30,
      workers: 3,
      maximumBatchSeconds: 5,
    })
    await until('some are written', async () => (await typed(sql)) > 200)
    // Out of partitions that are not written yet into the empty one, and behind the workers.
    await sql`update public.vehicles set id = id % 100000 + 1000 where id between 5000000 and 5000020`
    await sql`update public.vehicles set id = id + 50, is_truck = not is_truck where id % 100000 = 40`
    await sql`insert into public.vehicles select id + 200, name, is_truck, is_bike from public.vehicles where id % 100000 = 1`
    const ended = await agent.ended(id)
    const all = (await sql`select from public.vehicles`).length
    expect(all).toBeGreaterThan(2_040)
    expect(ended).toMatchObject({
      state: 'succeeded',
      result: { passedRows: all, failedRows: 0 },
    })
    expect(await wrong(sql)).toBe(0)
    expect(sum(await lanes(sql, id), (lane) => lane.written)).toBe((await watched(sql)).rows)
    expect(ended.result).toMatchObject({
      writtenRows: (await watched(sql)).rows,
    })
  })
})
