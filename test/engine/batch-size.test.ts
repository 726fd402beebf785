import { expect, test } from 'vitest'
import { typed, wrong } from '../safety/disturbing.ts'
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
  // A row that was never committed keeps its line pointer as long as an index may know it, and none of its room.
  const create = [
    `create table public.vehicles (id int primary key, is_truck boolean not null, is_bike boolean not null)
      with (autovacuum_enabled = off);
    insert into public.vehicles select n, n % 2 = 0, false from generate_series(1, 20) n;
    do $$ begin
      insert into public.vehicles select n, false, false from generate_series(1001, 1100) n;
      raise exception 'undone';
    exception when raise_exception then null; end $$`,
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
