import { expect, test } from 'vitest'
import { countWrongRows } from '../support/faultInjection.ts'
import { withExpandedTable, readEngineWrites } from './expandedTable.ts'

test.each([1, 40])('a page with more than 256 line pointers is written %i rows at a time', async (batchSize) => {
  // An uncommitted row keeps its line pointer, but no space, as long as an index can refer to it.
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
  await withExpandedTable({ create, watched: {} }, async ({ sql, agent }) => {
    const [page] = await sql<{ lines: number; pages: number }[]>`
      select max((ctid::text::point)[1])::int as lines, count(distinct (ctid::text::point)[0])::int as pages from public.vehicles`
    expect(page).toEqual({ lines: 290, pages: 1 })
    await agent.run('backfill', { batchSize, maximumBatchSeconds: 5 })
    expect(await countWrongRows(sql)).toBe(0)
    expect(await readEngineWrites(sql)).toMatchObject({ rows: 190 })
    expect((await readEngineWrites(sql)).largest).toBeLessThanOrEqual(batchSize)
  })
})
