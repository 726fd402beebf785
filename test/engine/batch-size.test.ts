import { expect, test } from 'vitest'
import { countTypedRows, countWrongRows } from '../support/faultInjection.ts'
import { withExpandedTable, plainTable, readEngineWrites } from './expandedTable.ts'

/** Pages with two and with seventy rows, deleted rows, mostly empty pages, and free space. */
const unevenTable = (rows: number): string =>
  plainTable(
    rows,
    `case when n % 400 < 40 then repeat('x', 200 + n % 1500) else '' end`,
    `delete from public.vehicles where n_of(name) % 7 = 0 or n_of(name) % 1000 between 300 and 380`,
    'with (fillfactor = 85)',
  )

const ROW_NUMBER_FUNCTION = `create function n_of(text) returns int language sql immutable as 'select substr($1, 9)::int';`

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
  await withExpandedTable({ create: ROW_NUMBER_FUNCTION + unevenTable(rows), watched: {} }, async ({ sql, agent }) => {
    const { result } = await agent.run('backfill', { batchSize, workers, maximumBatchSeconds: 5 })
    expect(await countWrongRows(sql)).toBe(0)
    const seen = await readEngineWrites(sql)
    expect(seen.rows).toBe(await countTypedRows(sql))
    expect(seen.largest).toBeLessThanOrEqual(batchSize)
    // An upper bound, close to the actual batch size.
    expect(seen.transactions).toBeLessThan((8 * seen.rows) / batchSize + 20)
    expect(result).toMatchObject({ passedRows: seen.rows, writtenRows: seen.rows })
  })
})
