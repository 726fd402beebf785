import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Operation, OperationEvent } from '../../agent/src/contract/index.ts'
import { startAgentProcess, type AgentProcess } from '../support/agentProcess.ts'
import { withDatabase } from '../support/database.ts'
import { tuneOperation } from '../support/operations.ts'
import { BUSY_FILE, ROUNDS } from '../outage/busyBackfill.ts'
import { takeEngineWrites, readLaneSums, createLegacyTable } from './legacyTable.ts'
import {
  compareWithOracle,
  readOracle,
  startRandomWriters,
  summarizeMismatches,
  type RandomWriters,
} from './randomWriters.ts'
import type postgres from 'postgres'
import { waitFor } from '../support/waitFor.ts'

const ROWS = 200_000

interface TwoAgentBackfill {
  readonly sql: postgres.Sql
  readonly first: AgentProcess
  readonly second: AgentProcess
  readonly id: number
  /** The agents that hold unfinished lanes. */
  holders(): Promise<string[]>
  /** Waits until the second agent, which holds a lane, has written another row. */
  waitForHelp(): Promise<void>
}

/**
 * Runs a backfill that two agents write at the same time, with concurrent writers; table and counters must be exact
 * afterwards.
 */
async function withTwoAgents(disturb: (both: TwoAgentBackfill) => Promise<void>): Promise<string> {
  return await withDatabase(async ({ url, sql }) => {
    await createLegacyTable(sql, ROWS)
    const oracle = await readOracle(sql)
    const agents = [
      await startAgentProcess(url, BUSY_FILE, 'first'),
      await startAgentProcess(url, BUSY_FILE, 'second'),
    ] as const
    const writers: RandomWriters = startRandomWriters(url, oracle, 2)
    try {
      await agents[0].run('expand')
      const { id } = await agents[0].request('backfill', { agents: 2, niceRatio: 3 })
      const [row] = await sql<{ agent: string | null }[]>`
        select agent from sti.operation where id = ${id} and agent is not null`
      const [first, second] = row?.agent === 'second' ? [agents[1], agents[0]] : agents
      const holders = async (): Promise<string[]> => {
        const [held] = await sql<{ agents: string[] | null }[]>`
          select to_jsonb(array_agg(distinct agent)) as agents from sti.lane
          where operation_id = ${id} and relation is not null and not finished and claim is not null`
        return held!.agents ?? []
      }
      await waitFor('both agents write', async () => (await holders()).length === 2, {
        ignoreErrors: true,
      })
      const helped = async (): Promise<number> => {
        const [lanes] = await sql<{ rows: number }[]>`
          select coalesce(sum(written_rows), 0)::int as rows from sti.lane
          where operation_id = ${id} and agent = ${second === agents[1] ? 'second' : 'first'}`
        return lanes!.rows
      }
      const waitForHelp = async (): Promise<void> => {
        const before = await helped()
        await waitFor('the helper writes', async () => (await helped()) > before, { seconds: 60 })
      }
      await disturb({ sql, first, second, id, holders, waitForHelp })
      await waitFor('it ends', async () => (await first.get<Operation>(`/v1/operations/${id}`)).state === 'succeeded', {
        seconds: 600,
        ignoreErrors: true,
      })
      await writers.stop()
      const found = await compareWithOracle(sql, oracle)
      expect(found.slice(0, 5)).toEqual([])
      expect(await takeEngineWrites(sql)).toBe((await readLaneSums(sql, id)).written)
      const ended = await first.get<Operation>(`/v1/operations/${id}`)
      expect(ended.progress).toMatchObject({ ratio: 1, failedRows: 0 })
      return summarizeMismatches(found)
    } finally {
      await writers.stop()
      await Promise.all(agents.map((agent) => agent.stop()))
    }
  })
}

test(
  'two agents write one backfill; while it is paused, neither writes; the holder takes over the lanes of a killed helper',
  { timeout: 900_000 + ROUNDS * 60_000 },
  async () => {
    const found = await withTwoAgents(async ({ sql, first, second, id, holders, waitForHelp }) => {
      for (let round = 0; round < ROUNDS; round++) {
        await waitForHelp()
        await first.post(`/v1/operations/${id}/pause`, { environment: 'staging' })
        await waitFor(
          'it is paused',
          async () => (await first.get<Operation>(`/v1/operations/${id}`)).state === 'paused',
          { ignoreErrors: true },
        )
        expect(await holders()).toEqual([])
        const { written } = await readLaneSums(sql, id)
        await sleep(1_500)
        expect((await readLaneSums(sql, id)).written).toBe(written)
        await first.post(`/v1/operations/${id}/resume`, { environment: 'staging' })
        await waitFor('both write again', async () => (await holders()).length === 2, {
          seconds: 60,
          ignoreErrors: true,
        })
      }
      const { events } = await first.get<{ events: OperationEvent[] }>(`/v1/operations/${id}/events`)
      expect(events.filter((event) => /helped: [1-9][\d,]* rows? written/.test(event.message))).toHaveLength(ROUNDS)
      await second.kill()
      await tuneOperation(first, id, { niceRatio: 0 })
    })
    console.log(`two agents on one backfill, paused, and the helper killed: ${found}`)
  },
)
