import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { MAXIMUM_STRIPES, nextBlock, placeOf, rowsOfStripe, startOf } from './blocks.ts'

test.each([
  [['(0,0)'], { block: 0, line: 0 }, 0],
  [['(0,1)'], { block: 0, line: 1 }, 1],
  [['(41,291)'], { block: 41, line: 291 }, 42],
  [['(4294967294,0)'], { block: 4_294_967_294, line: 0 }, 4_294_967_294],
])('%j is %j, and block %i is the first that has not been begun', (key, place, next) => {
  expect(placeOf(key)).toEqual(place)
  expect(nextBlock(key)).toBe(next)
})

test.each([[[]], [['']], [['17']], [['(1,2']], [['(1,2)x']], [['(-1,2)']]])('%j is no place in a table', (key) => {
  expect(() => placeOf(key)).toThrow(/not a place in a table/)
})

test('the bounds of blocks hold each row of them and no other, as PostgreSQL compares them', async () => {
  await withDatabase(async ({ sql }) => {
    await sql`create table rows as select n from generate_series(1, 2000) n`
    const [low, high] = [startOf(2)[0]!, startOf(5)[0]!]
    const found = await sql<{ block: number }[]>`
      select distinct (ctid::text::point)[0]::int as block from rows
      where ctid > ${low}::text::tid and ctid <= ${high}::text::tid order by 1`
    expect(found.map(({ block }) => block)).toEqual([2, 3, 4])
  })
})

/** Line pointers as the batch takes their stripe: by their low byte. */
function largest(lines: number, stripes: number): number {
  const rows = new Array<number>(stripes).fill(0)
  for (let line = 1; line <= lines; line++) rows[(line & 255) % stripes]!++
  return Math.max(...rows)
}

test('no stripe of a page is larger than it is said to be, and none is said to be twice as large', () => {
  for (let lines = 1; lines <= 300; lines++) {
    for (let stripes = 1; stripes <= MAXIMUM_STRIPES; stripes++) {
      const [real, said] = [largest(lines, stripes), rowsOfStripe(lines, stripes)]
      if (real > said || said > 2 * real) expect({ lines, stripes, said }).toEqual({ lines, stripes, said: real })
    }
  }
})
