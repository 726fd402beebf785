import { describe, expect, test } from 'vitest'
import { alignColumns, alignRows } from './table.ts'

const ROWS = [
  ['ID', 'KIND', 'REASON'],
  ['1', 'expand', '-'],
  ['12', 'backfill', 'The database cannot be reached: connect ECONNREFUSED, and the operation continues later.'],
]

describe('a table', () => {
  test('is aligned, and as wide as its cells without a terminal', () => {
    expect(alignColumns(ROWS)).toEqual([
      'ID  KIND      REASON',
      '1   expand    -',
      '12  backfill  The database cannot be reached: connect ECONNREFUSED, and the operation continues later.',
    ])
  })

  test('continues a long last cell below its column', () => {
    expect(alignColumns(ROWS, 60)).toEqual([
      'ID  KIND      REASON',
      '1   expand    -',
      '12  backfill  The database cannot be reached: connect',
      '              ECONNREFUSED, and the operation continues',
      '              later.',
    ])
  })

  test('has a line for each cell in a terminal that is too narrow for its columns', () => {
    expect(alignColumns(ROWS, 30)).toEqual([
      'ID      1',
      'KIND    expand',
      'REASON  -',
      '',
      'ID      12',
      'KIND    backfill',
      'REASON  The database cannot be',
      '        reached: connect',
      '        ECONNREFUSED, and the',
      '        operation continues',
      '        later.',
    ])
  })

  test.each([20, 30, 40, 60, 80, 120, 200])('fits into %i columns', (width) => {
    for (const line of alignColumns(ROWS, width)) expect(line.length).toBeLessThanOrEqual(width)
  })
})

test('a table without headings keeps the lines of a row together, whatever the width', () => {
  const rows = [
    ['  pass', 'coverage', '100%', 'every row has the type implied by its legacy columns'],
    ['  inconclusive', 'no-statement-reads', '–', 'the watch has not covered the soak time'],
  ]
  expect(alignRows(rows, 50)).toEqual([
    ['  pass  coverage  100%', '      every row has the type implied by its legacy', '      columns'],
    ['  inconclusive  no-statement-reads  –', '      the watch has not covered the soak time'],
  ])
  for (const width of [20, 40, 60, 80, 120, 200])
    for (const line of alignRows(rows, width).flat()) expect(line.length).toBeLessThanOrEqual(width)
})
