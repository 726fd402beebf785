import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { LINE_POINTER_LOW_BYTE, LINE_POINTER_HIGH_BYTE, firstBlockAfter, parseCtid, blockStart } from './ctid.ts'

test.each([
  [['(0,0)'], { block: 0, line: 0 }, 0],
  [['(0,1)'], { block: 0, line: 1 }, 0],
  [['(41,291)'], { block: 41, line: 291 }, 41],
  [['(4294967294,0)'], { block: 4_294_967_294, line: 0 }, 4_294_967_294],
])('%j is %j, and block %i is the first block with rows after it', (key, place, next) => {
  expect(parseCtid(key)).toEqual(place)
  expect(firstBlockAfter(key)).toBe(next)
})

test.each([[[]], [['']], [['17']], [['(1,2']], [['(1,2)x']], [['(-1,2)']]])('%j is not a ctid', (key) => {
  expect(() => parseCtid(key)).toThrow(/not a ctid/)
})

test('PostgreSQL finds every row of the blocks between two bounds, and no other', async () => {
  await withDatabase(async ({ sql }) => {
    await sql`create table rows as select n from generate_series(1, 2000) n`
    const [low, high] = [blockStart(2)[0]!, blockStart(5)[0]!]
    const found = await sql<{ block: number }[]>`
      select distinct (ctid::text::point)[0]::int as block from rows
      where ctid > ${low}::text::tid and ctid <= ${high}::text::tid order by 1`
    expect(found.map(({ block }) => block)).toEqual([2, 3, 4])
  })
})

test('the bytes of a line pointer agree with PostgreSQL', async () => {
  await withDatabase(async ({ sql }) => {
    await sql`create table rows (n smallint) with (autovacuum_enabled = off)`
    await sql`create index on rows (n)`
    // The line pointers of deleted rows remain, so new rows get higher ones.
    await sql`insert into rows select n from generate_series(1, 20) n`
    await sql`insert into rows select 99 from generate_series(1, 100) n`
    await sql`delete from rows where n = 99`
    await sql`select count(*) from rows`
    await sql`insert into rows select n from generate_series(1, 200) n`
    const found = await sql.unsafe<{ line: number; low: number; high: number }[]>(
      `select (ctid::text::point)[1]::int as line, ${LINE_POINTER_LOW_BYTE} as low, ${LINE_POINTER_HIGH_BYTE} as high from rows as t`,
    )
    expect(Math.max(...found.map(({ line }) => line))).toBeGreaterThan(200)
    for (const { line, low, high } of found) expect(low + 256 * high).toBe(line)
  })
})
