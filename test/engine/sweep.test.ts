import { expect, test } from 'vitest'
import { readEventMessages, controlOperation } from '../support/operations.ts'
import { countTypedRows, withSession, countWrongRows } from '../support/faultInjection.ts'
import { moveRowsToFront, WITHOUT_AUTOVACUUM } from './moveRowsToFront.ts'
import { onNthArrival } from '../support/failpoints.ts'
import { withExpandedTable, plainTable, recordEngineWrites, readEngineWrites } from './expandedTable.ts'
import { waitFor } from '../support/waitFor.ts'

test('the sweep uses the same batch size', async () => {
  await withExpandedTable(
    {
      create: plainTable(6_000, `case when n % 400 < 40 then repeat('x', 200 + n % 1500) else '' end`),
      watched: { seconds: 0.02 },
    },
    async ({ url, sql, agent }) => {
      const { id } = await agent.request('backfill', { batchSize: 100, maximumBatchSeconds: 5 })
      await waitFor('a third is written', async () => (await countTypedRows(sql)) > 1_700)
      await controlOperation(agent, id, 'pause')
      await agent.waitForEnd(id)
      // Written rows are deleted, and the others move behind the lane.
      await withSession(url, async (session) => {
        await session`delete from public.vehicles where type is not null`
        await session`vacuum full public.vehicles`
      })
      await sql`truncate public.watched`
      const left = await sql`select from public.vehicles`
      await controlOperation(agent, id, 'resume')
      expect(await agent.waitForEnd(id)).toMatchObject({ state: 'succeeded', result: { passedRows: left.length } })
      expect(await countWrongRows(sql)).toBe(0)
      const seen = await readEngineWrites(sql)
      expect(seen.rows).toBe(left.length)
      expect(seen.largest).toBeLessThanOrEqual(100)
    },
  )
})

test('with dualWrite: application the sweep walks the key and finds rows that moved past the lane', async () => {
  const shape = { create: plainTable(4_000), watched: { seconds: 0.02 }, file: 'dualWrite: application\n' }
  await withExpandedTable(shape, async ({ sql, agent }) => {
    const { id } = await agent.request('backfill', { batchSize: 100, workers: 2, maximumBatchSeconds: 5 })
    await waitFor('rows are written', async () => (await countTypedRows(sql)) > 300)
    // Rows without a type move behind the lane.
    const moved = await sql`update public.vehicles set name = name || '!' where id > 3000 and type is null`
    expect(moved.count).toBeGreaterThan(800)
    await recordEngineWrites(sql, 0)
    expect(await agent.waitForEnd(id)).toMatchObject({
      state: 'succeeded',
      result: { passedRows: 4_000, writtenRows: 4_000 },
    })
    expect(await countWrongRows(sql)).toBe(0)
    expect(await readEngineWrites(sql)).toMatchObject({ rows: 4_000 })
    // A batch that was planned before the rows moved also has those that moved into its range.
    expect((await readEngineWrites(sql)).largest).toBeLessThanOrEqual(200)
    const [message] = (await readEventMessages(agent, id)).filter((event) => event.startsWith('The sweep wrote'))
    const written = /recorded ([\d,]+) rows/.exec(message ?? '')?.[1]?.replaceAll(',', '')
    expect(Number(written)).toBeGreaterThan(800)
  })
})

test('with dualWrite: application a row that moves behind the sweep is found', async () => {
  const then = { run: async (): Promise<void> => undefined }
  const { reached } = onNthArrival('sweep.looked', 1, () => then.run())
  await withExpandedTable(
    { create: plainTable(24_000, `''`, '', WITHOUT_AUTOVACUUM), file: 'dualWrite: application\n', reached },
    async ({ sql, agent }) => {
      then.run = () => moveRowsToFront(sql, 'type = null', 'id > 23950')
      const { id } = await agent.run('backfill')
      expect(await readEventMessages(agent, id)).toContain('The sweep wrote or recorded 50 rows')
      expect(await countWrongRows(sql)).toBe(0)
    },
  )
})
