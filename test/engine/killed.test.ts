import { expect, test } from 'vitest'
import { until } from '../safety/asking.ts'
import { backends, typed, wrong } from '../safety/disturbing.ts'
import { startAgentProcess } from '../support/agentProcess.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES } from '../support/vehicles.ts'
import { expectEachBatchOnce, full, recorded, striped } from './moves.ts'
import { lanes, sum, watch, watched } from './rows.ts'

const BACKFILL = { batchSize: 100, maximumBatchSeconds: 5 }

test('an agent that is killed inside a striped range: another one goes on with the next stripe, and counts on', async () => {
  await withDatabase(async ({ url, sql }) => {
    for (const text of full(6_000)) await sql.unsafe(text)
    const rows = (await sql`select from public.vehicles`).length
    await watch(sql, 0.02)
    const file = `${VEHICLES}triggers: { watched: harmless }\n`
    const first = await startAgentProcess(url, file, 'agent-1')
    await first.run('expand')
    await recorded(sql)
    const { id } = await first.request('backfill', BACKFILL)
    await striped(sql, id, 4)
    await first.kill()
    await until('its connections are gone', async () => (await backends(sql, 'backfill')).length === 0)
    const written = await typed(sql)
    const [lane] = await lanes(sql, id)
    expect([lane!.written, lane!.passed + lane!.striped!.written]).toEqual([written, written])
    await watch(sql, 0)
    const second = await startAgentProcess(url, file, 'agent-2')
    const ended = await second.ended(id)
    expect(ended).toMatchObject({
      state: 'succeeded',
      agent: 'agent-2',
      result: { passedRows: rows, writtenRows: rows },
    })
    expect(sum(await lanes(sql, id), (one) => one.written)).toBe(rows)
    expect(await watched(sql)).toMatchObject({ rows })
    expect(await wrong(sql)).toBe(0)
    expect(await expectEachBatchOnce(sql)).toBeGreaterThan(8)
    expect(ended.progress).toMatchObject({ processedRows: rows, writtenRows: rows })
    await second.stop()
  })
})
