import { expect, test } from 'vitest'
import { engineBackendPids, countTypedRows, countWrongRows } from '../support/faultInjection.ts'
import { startAgentProcess } from '../support/agentProcess.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE } from '../support/vehicles.ts'
import { expectEachBatchOnce, fullPagesTable, recordLaneMoves, waitForStripes } from './laneMoves.ts'
import { readLanes, sumOf, recordEngineWrites, readEngineWrites } from './expandedTable.ts'
import { waitFor } from '../support/waitFor.ts'

const BACKFILL = { batchSize: 100, maximumBatchSeconds: 5 }

test('after an agent is killed inside a striped range, another one continues with the next stripe and keeps the count', async () => {
  await withDatabase(async ({ url, sql }) => {
    for (const text of fullPagesTable(6_000)) await sql.unsafe(text)
    const rows = (await sql`select from public.vehicles`).length
    await recordEngineWrites(sql, 0.02)
    const file = `${VEHICLES_FILE}triggers: { watched: harmless }\n`
    const first = await startAgentProcess(url, file, 'agent-1')
    await first.run('expand')
    await recordLaneMoves(sql)
    const { id } = await first.request('backfill', BACKFILL)
    await waitForStripes(sql, id, 4)
    await first.kill()
    await waitFor('its connections are closed', async () => (await engineBackendPids(sql, 'backfill')).length === 0)
    const written = await countTypedRows(sql)
    const [lane] = await readLanes(sql, id)
    expect([lane!.written, lane!.passed + lane!.range_state!.written]).toEqual([written, written])
    await recordEngineWrites(sql, 0)
    const second = await startAgentProcess(url, file, 'agent-2')
    const ended = await second.waitForEnd(id)
    expect(ended).toMatchObject({
      state: 'succeeded',
      agent: 'agent-2',
      result: { passedRows: rows, writtenRows: rows },
    })
    expect(sumOf(await readLanes(sql, id), (part) => part.written)).toBe(rows)
    expect(await readEngineWrites(sql)).toMatchObject({ rows })
    expect(await countWrongRows(sql)).toBe(0)
    expect(await expectEachBatchOnce(sql)).toBeGreaterThan(8)
    expect(ended.progress).toMatchObject({ processedRows: rows, writtenRows: rows })
    await second.stop()
  })
})
