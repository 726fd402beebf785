import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { LINE_POINTER_LOW_BYTE, LINE_POINTER_HIGH_BYTE, firstBlockAfter, parseCtid, blockStart } from './ctid.ts'

test.each([
  [['(0,0)'], { block: 0, line: 0 }, 0],
  [['(0,1)'], { block: 0, line: 1 }, 0],
  [['(41,291)'], { block: 41, line: 291 }, 41],
  [['(4294967294,0)'], { block: 4_294_967_294, line: 0 }, 4_294_967_294],
])('%j is %j, and block %i is the first with rows after it', (key, place, next) => {
  expect(parseCtid(key)).toEqual(place)
  expect(firstBlockAfter(key)).toBe(next)
})

test.each([[[]], [['']], [['17']], [['(1,2']], [['(1,2)x']], [['(-1,2)']]])('%j is no place in a table', (key) => {
  expect(() => parseCtid(key)).toThrow(/not a place in a table/)
})

test('the bounds of blocks hold each row of them and no other, as PostgreSQL compares them', async () => {
  await withDatabase(async ({ sql }) => {
    await sql`create table rows as select n from generate_series(1, 2000) n`
    const [low, high] = [blockStart(2)[0]!, blockStart(5)[0]!]
    const found = await sql<{ block: number }[]>`
      select distinct (ctid::text::point)[0]::int as block from rows
      where ctid > ${low}::text::tid and ctid <= ${high}::text::tid order by 1`
    expect(found.map(({ block }) => block)).toEqual([2, 3, 4])
  })
})

test('the two bytes of a line pointer are what PostgreSQL says it is', async () => {
  await withDatabase(async ({ sql }) => {
    await sql`create table rows (n smallint) with (autovacuum_enabled = off)`
    await sql`create index on rows (n)`
    // Line pointers whose row is gone take no room of the page: others come above them.
    await sql`insert into rows select n from generate_series(1, 20) n`
    await sql`insert into rows select 99 from generate_series(1, 100) n`
    await sql`delete from rows where n = 99`
    await sql`select count(*) from rows`
    await sql`insert into rows select n from generate_series(1, 200) n`
    const found = await sql.unsafe<{ line: number; low: number; above: number }[]>(
      `select (ctid::text::point)[1]::int as line, ${LINE_POINTER_LOW_BYTE} as low, ${LINE_POINTER_HIGH_BYTE} as above from rows as t`,
    )
    expect(Math.max(...found.map(({ line }) => line))).toBeGreaterThan(200)
    for (const { line, low, above } of found) expect(low + 256 * above).toBe(line)
  })
})
