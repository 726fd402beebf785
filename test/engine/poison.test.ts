import { expect, test } from 'vitest'
import { CTID_KEY } from '../../agent/src/engine/ctid.ts'
import { failedRowCondition, recordFailedRow } from '../../agent/src/engine/failedRow.ts'
import { readNextRange, type KeyedTable } from '../../agent/src/engine/keyRange.ts'
import { readFailedRows } from '../support/operations.ts'
import { countTypedRows, countWrongRows } from '../support/faultInjection.ts'
import { withTestLane } from '../safety/testLane.ts'
import { FROZEN_ROWS_OPTIONS, FROZEN_TRIGGER_SQL, freezeRows } from './frozenRows.ts'
import { fullPagesTable } from './laneMoves.ts'
import { withExpandedTable, readLanes, plainTable, sumOf, readEngineWrites } from './expandedTable.ts'
import { waitFor } from '../support/waitFor.ts'

test.each([1, 3])(
  'rows that fail inside stripes are recorded by key, and all others are written: %i workers',
  async (workers) => {
    const ids = [3, 4, 700, 1_501, 2_500, 3_600]
    await withExpandedTable(
      { create: [...fullPagesTable(4_000), FROZEN_TRIGGER_SQL], watched: {}, ...FROZEN_ROWS_OPTIONS },
      async ({ sql, agent }) => {
        await freezeRows(sql, ids)
        const all = (await sql`select from public.vehicles`).length
        const { id, result, progress } = await agent.run('backfill', {
          batchSize: 100,
          workers,
          maximumBatchSeconds: 5,
        })
        const counts = { writtenRows: all - ids.length, failedRows: ids.length }
        expect(result).toMatchObject({ passedRows: all, ...counts })
        expect(progress).toMatchObject({ processedRows: all - ids.length, totalRows: all, ...counts })
        const failed = await readFailedRows(agent)
        expect(failed.map((row) => row.key.map(Number)).sort((a, b) => a[0]! - b[0]!)).toEqual(
          ids.map((frozen) => [frozen]),
        )
        expect(new Set(failed.map((row) => row.message))).toEqual(
          new Set(ids.map((frozen) => `row ${frozen} is frozen`)),
        )
        const each = await readLanes(sql, id)
        expect([sumOf(each, (lane) => lane.written), sumOf(each, (lane) => lane.failed)]).toEqual([
          all - ids.length,
          ids.length,
        ])
        expect(await readEngineWrites(sql)).toMatchObject({ rows: all - ids.length })
        expect(await countTypedRows(sql)).toBe(all - ids.length)
        expect(await countWrongRows(sql)).toBe(ids.length)
      },
    )
  },
)

test.each([
  ['fixes', `update public.vehicles set name = 'fixed' where id = 500`, 1_000],
  ['deletes', 'delete from public.vehicles where id = 500', 999],
])('a row that the application %s while it fails is not a failed row', async (_, statement, rows) => {
  await withExpandedTable(
    { create: [plainTable(1_000), FROZEN_TRIGGER_SQL], ...FROZEN_ROWS_OPTIONS },
    async ({ sql, agent }) => {
      await freezeRows(sql, [500], 0.3)
      const { id } = await agent.request('backfill', { batchSize: 100, maximumBatchSeconds: 5 })
      await waitFor('it fails', async () => {
        const [row] = await sql`select from pg_stat_activity where application_name like 'sti % backfill%'
        and datname = current_database() and wait_event = 'PgSleep'`
        return row !== undefined
      })
      await sql.unsafe(statement)
      expect(await agent.waitForEnd(id)).toMatchObject({
        state: 'succeeded',
        result: { passedRows: rows, failedRows: 0 },
      })
      expect(await readFailedRows(agent)).toEqual([])
      expect(await countWrongRows(sql)).toBe(0)
    },
  )
})

test('a row that moves between failure and record, and a new row at its place, are not recorded', async () => {
  await withTestLane(20, async ({ sql, database, engine, change, lane }) => {
    const relation = { schema: 'public', name: 'vehicles', sql: 'public.vehicles' }
    const walked: KeyedTable = { table: relation, key: CTID_KEY }
    await sql`delete from public.vehicles where id between 2 and 9`
    await sql`vacuum public.vehicles`
    const range = (await readNextRange(engine, walked, ['(0,1)'], null, 1))!
    expect(range).toEqual({ low: ['(0,1)'], high: ['(0,10)'], rows: 1 })
    const record = async (): Promise<unknown> => {
      const row = await failedRowCondition(engine, walked, range)
      return await recordFailedRow(engine, change, lane, {
        relation: relation.sql,
        rowCondition: row,
        sqlstate: 'P0001',
        message: 'x',
        nextPosition: null,
        passedRows: 0,
      })
    }
    // Two other rows take the space before it: only the failed row is recorded.
    await sql`insert into public.vehicles (name, is_truck, is_bike) values ('new', true, false), ('newer', true, false)`
    const [between] = await sql<{ rows: number }[]>`
      select count(*)::int as rows from public.vehicles where ctid > '(0,1)' and ctid < '(0,10)'`
    expect(between!.rows).toBe(2)
    expect(await record()).toEqual(['10'])
    await database.state`delete from sti.failed_row`
    await sql`update public.vehicles set name = 'moved' where id = 10`
    expect(await record()).toBeNull()
    expect(await database.state`select key from sti.failed_row`).toEqual([])
  })
})
