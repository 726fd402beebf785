import { expect, test } from 'vitest'
import { steer, until } from '../safety/asking.ts'
import { typed, withSession, wrong } from '../safety/disturbing.ts'
import { expanded, plain, watched } from './rows.ts'

/** Pages with two rows and pages with seventy, deleted rows, pages of which most is gone, free space. */
const uneven = (rows: number): string =>
  plain(
    rows,
    `case when n % 400 < 40 then repeat('x', 200 + n % 1500) else '' end`,
    `delete from public.vehicles where n_of(name) % 7 = 0 or n_of(name) % 1000 between 300 and 380`,
    'with (fillfactor = 85)',
  )

const N_OF = `create function n_of(text) returns int language sql immutable as 'select substr($1, 9)::int';`

test.each([
  { batchSize: 1, workers: 1, rows: 300 },
  { batchSize: 1, workers: 3, rows: 300 },
  { batchSize: 7, workers: 1, rows: 1_500 },
  { batchSize: 7, workers: 3, rows: 1_500 },
  { batchSize: 100, workers: 1, rows: 8_000 },
  { batchSize: 100, workers: 3, rows: 8_000 },
  { batchSize: 1000, workers: 1, rows: 20_000 },
  { batchSize: 1000, workers: 3, rows: 20_000 },
])('no transaction writes more than $batchSize rows with $workers workers', async ({ batchSize, workers, rows }) => {
  await expanded({ create: N_OF + uneven(rows), watched: {} }, async ({ sql, agent }) => {
    const { result } = await agent.run('backfill', { batchSize, workers, maximumBatchSeconds: 5 })
    expect(await wrong(sql)).toBe(0)
    const seen = await watched(sql)
    expect(seen.rows).toBe(await typed(sql))
    expect(seen.largest).toBeLessThanOrEqual(batchSize)
    // It is an upper bound, and not far from what batches have.
    expect(seen.transactions).toBeLessThan((8 * seen.rows) / batchSize + 20)
    expect(result).toMatchObject({ passedRows: seen.rows, writtenRows: seen.rows })
  })
})

test.each([1, 40])('a page with more than 256 line pointers is written %i rows at a time, too', async (batchSize) => {
  // A deleted row keeps its line pointer as long as an index may know it, and none of its room.
  const create = [
    `create table public.vehicles (id int primary key, is_truck boolean not null, is_bike boolean not null)
      with (autovacuum_enabled = off);
    insert into public.vehicles select n, n % 2 = 0, false from generate_series(1, 20) n;
    insert into public.vehicles select n, false, false from generate_series(1001, 1100) n`,
    'delete from public.vehicles where id > 1000',
    'vacuum (index_cleanup off) public.vehicles',
    'insert into public.vehicles select n, n % 2 = 0, false from generate_series(21, 190) n',
  ]
  await expanded({ create, watched: {} }, async ({ sql, agent }) => {
    const [page] = await sql<{ lines: number; pages: number }[]>`
      select max((ctid::text::point)[1])::int as lines, count(distinct (ctid::text::point)[0])::int as pages from public.vehicles`
    expect(page).toEqual({ lines: 290, pages: 1 })
    await agent.run('backfill', { batchSize, maximumBatchSeconds: 5 })
    expect(await wrong(sql)).toBe(0)
    expect(await watched(sql)).toMatchObject({ rows: 190 })
    expect((await watched(sql)).largest).toBeLessThanOrEqual(batchSize)
  })
})

test('rows that the sweep has to write come in such batches, too', async () => {
  await expanded({ create: N_OF + uneven(6_000), watched: { seconds: 0.02 } }, async ({ url, sql, agent }) => {
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
  })
})
