import { expect, test } from 'vitest'
import type { Operation } from '../../agent/src/contract/index.ts'
import { startAgentProcess, type AgentProcess } from '../support/agentProcess.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES, vehicles } from '../support/vehicles.ts'
import { differences, startWriters, type Oracle } from './writers.ts'

/** STI_CRASH_KILLS=200 npm test -- test/crash kills for longer. */
const KILLS = Number(process.env['STI_CRASH_KILLS'] ?? 5)

test(
  `an agent killed ${KILLS} times at random while others write loses, doubles and misses no row`,
  { timeout: 60_000 + KILLS * 30_000 },
  async () => {
    await withDatabase(async ({ url, sql }) => {
      await vehicles(sql, 30_000 + KILLS * 2_000)
      const rows = await sql<{ id: string; is_truck: boolean; is_bike: boolean; axles: number }[]>`
      select id, is_truck, is_bike, axles from public.vehicles`
      const oracle: Oracle = new Map(rows.map(({ id, ...vehicle }) => [id, vehicle]))
      let agent: AgentProcess = await startAgentProcess(url, VEHICLES)
      await agent.run('expand')
      const writers = startWriters(url, oracle, 3)
      // Small batches, so that there are many moments to be killed at.
      const { id } = await agent.request('backfill', { batchSize: 50, checkpointInterval: 3 })
      let kills = 0
      while (kills < KILLS) {
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 1_500))
        const { state } = await agent.get<Operation>(`/v1/operations/${id}`)
        if (state === 'succeeded') break
        await agent.kill()
        kills++
        agent = await startAgentProcess(url, VEHICLES)
      }
      const ended = await agent.ended(id)
      expect(ended).toMatchObject({ state: 'succeeded', error: null })
      expect(kills).toBeGreaterThan(KILLS / 2)
      await writers.stop()
      expect(writers.writes()).toBeGreaterThan(100)
      expect(await differences(sql, oracle)).toEqual([])
      // A batch counts its rows in the transaction that writes them: none counted twice, none forgotten.
      const [lane] =
        await sql`select sum(passed_rows)::int as passed, sum(written_rows)::int as written from sti.lane where operation_id = ${id}`
      expect(lane!['written']).toBeLessThanOrEqual(lane!['passed'] as number)
      expect(ended.result).toMatchObject({ writtenRows: lane!['written'] })
      expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass', coverage: 1, rows: oracle.size })
      await agent.stop()
    })
  },
)
