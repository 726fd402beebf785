import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { FailpointHook } from '../../agent/src/kind/failpoints.ts'
import { controlOperation } from '../support/operations.ts'
import { engineBackendPids, countTypedRows, countWrongRows } from '../support/faultInjection.ts'
import { FROZEN_ROWS_OPTIONS, FROZEN_TRIGGER_SQL, freezeRows } from './frozenRows.ts'
import { expectEachBatchOnce, fullPagesTable, recordLaneMoves } from './laneMoves.ts'
import { onNthArrival } from '../support/failpoints.ts'
import { withExpandedTable, readLanes, plainTable, recordEngineWrites, readEngineWrites } from './expandedTable.ts'
import { waitFor } from '../support/waitFor.ts'

const BACKFILL = { batchSize: 100, maximumBatchSeconds: 5 }

test.each([1, 2])(
  'a pause inside a striped range keeps exact counts and resumes with the next stripe: %i workers',
  async (workers) => {
    let beforeBatch = async (): Promise<void> => undefined
    const reached: FailpointHook = async (point) => {
      if (point === 'backfill.batch') await beforeBatch()
    }
    const options = { create: fullPagesTable(6_000), watched: { seconds: 0.02 }, reached }
    await withExpandedTable(options, async ({ sql, agent }) => {
      await sql`update public.vehicles set name = name where id <= 300`
      const all = (await sql`select from public.vehicles`).length
      // Written by the application since expand, so the backfill does not write it.
      const right = await countTypedRows(sql)
      await recordLaneMoves(sql)
      const { id } = await agent.request('backfill', { ...BACKFILL, workers })
      for (const batches of [3, 6]) {
        await new Promise<void>((resolve, reject) => {
          beforeBatch = async () => {
            const state = (await readLanes(sql, id))[0]?.range_state
            // The batch that begins now is still written.
            if (!state || state.done < batches || state.done + 2 > state.stripes.length * state.parts) return
            beforeBatch = async () => undefined
            await controlOperation(agent, id, 'pause').then(resolve, reject)
          }
        })
        const { progress } = await agent.waitForEnd(id)
        const [lane] = await readLanes(sql, id)
        // Batches that began before the agent knew of the pause may have ended the range: then it is inside the next one.
        expect(lane!.range_state!.done).toBeGreaterThan(0)
        const written = (await countTypedRows(sql)) - right
        expect(await readEngineWrites(sql)).toMatchObject({ rows: written })
        expect(lane!.written).toBe(written)
        expect(progress).toMatchObject({
          writtenRows: written,
          processedRows: lane!.passed + lane!.range_state!.written,
        })
        expect(await engineBackendPids(sql, 'backfill')).toEqual([])
        await controlOperation(agent, id, 'resume')
      }
      await recordEngineWrites(sql, 0)
      const ended = await waitFor('it ends', async () => {
        const operation = await agent.waitForEnd(id)
        return operation.state !== 'paused' && operation
      })
      expect(ended).toMatchObject({
        state: 'succeeded',
        result: { passedRows: all, writtenRows: all - right, failedRows: 0 },
      })
      expect(await countWrongRows(sql)).toBe(0)
      expect(await readEngineWrites(sql)).toMatchObject({ rows: all - right })
      expect(await expectEachBatchOnce(sql)).toBeGreaterThan(8)
    })
  },
)

test('a lane that is paused while it isolates a row in the last block resumes behind that row', async () => {
  const agentOf = { pause: async (): Promise<void> => undefined }
  const { reached } = onNthArrival('backfill.poison', 1, () => agentOf.pause())
  await withExpandedTable(
    { create: [plainTable(40), FROZEN_TRIGGER_SQL], ...FROZEN_ROWS_OPTIONS, reached },
    async ({ sql, agent }) => {
      await freezeRows(sql, [20])
      const { id } = await agent.request('backfill')
      agentOf.pause = async () => {
        await controlOperation(agent, id, 'pause')
        // Until the agent has received the request.
        await sleep(1_200)
      }
      expect((await agent.waitForEnd(id)).state).toBe('paused')
      const [lane] = await readLanes(sql, id)
      expect(lane).toMatchObject({ position: ['(0,20)'], failed: 1, finished: false })
      await controlOperation(agent, id, 'resume')
      const ended = await waitFor('it ends', async () => {
        const operation = await agent.waitForEnd(id)
        return operation.state !== 'paused' && operation
      })
      expect(ended.result).toMatchObject({ passedRows: 40, writtenRows: 39, failedRows: 1 })
      // Written by the lane and not by the sweep.
      expect((await readLanes(sql, id))[0]).toMatchObject({ written: 39, finished: true })
    },
  )
})
