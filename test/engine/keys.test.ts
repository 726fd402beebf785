import { expect, test } from 'vitest'
import { countWrongRows } from '../support/faultInjection.ts'
import { withExpandedTable, sumOf, readLanes, readEngineWrites } from './expandedTable.ts'

const FLAGS = 'is_truck boolean not null, is_bike boolean not null, note text'
const rows = (key: string): string =>
  `insert into public.vehicles select ${key}, n % 3 = 0, n % 7 = 0, repeat('x', n % 50) from generate_series(1, 3000) n;
   create index on public.vehicles (note); analyze public.vehicles`

test.each([
  ['random', `create table public.vehicles (id uuid primary key, ${FLAGS}); ${rows('gen_random_uuid()')}`],
  [
    'composite',
    `create table public.vehicles (day date, shop text, id int, ${FLAGS}, primary key (shop, day, id)); ${rows(`date '2024-01-01' + n % 5, 'shop ' || n % 3, n`)}`,
  ],
  ['text', `create table public.vehicles (id text primary key, ${FLAGS}); ${rows(`'k ''"\\ ' || md5(n::text)`)}`],
  [
    'sparse',
    `create table public.vehicles (id bigint primary key, ${FLAGS}); ${rows('case when n % 2 = 0 then n else 9000000000000000 - n * 1000000::bigint end')}`,
  ],
])('two workers write a table with a %s key', async (_, create) => {
  await withExpandedTable({ create, watched: {} }, async ({ sql, agent }) => {
    await sql`delete from public.vehicles where length(note) = 7`
    const [{ count }] = (await sql`select count(*)::int as count from public.vehicles`) as unknown as [
      { count: number },
    ]
    const { id, result } = await agent.run('backfill', { workers: 2, batchSize: 200, maximumBatchSeconds: 5 })
    expect(result).toMatchObject({ passedRows: count, writtenRows: count, failedRows: 0 })
    expect(await readEngineWrites(sql)).toMatchObject({ rows: count })
    expect(sumOf(await readLanes(sql, id), (lane) => lane.written)).toBe(count)
    expect(await countWrongRows(sql)).toBe(0)
  })
})
