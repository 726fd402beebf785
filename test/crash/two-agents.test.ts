import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Operation } from '../../agent/src/contract/index.ts'
import { startAgentProcess } from '../support/agentProcess.ts'
import { withDatabase } from '../support/database.ts'
import { BUSY_FILE, ROUNDS } from '../outage/busyBackfill.ts'
import { takeEngineWrites, readLaneSums, createLegacyTable } from './legacyTable.ts'
import { compareWithOracle, readOracle, startRandomWriters, summarizeMismatches } from './randomWriters.ts'
import { waitFor } from '../support/waitFor.ts'

test(
  'an agent that was frozen beyond its lease writes nothing when it wakes up, since another agent has taken over',
  { timeout: 900_000 + ROUNDS * 60_000 },
  async () => {
    await withDatabase(async ({ url, sql }) => {
      await createLegacyTable(sql, 5_000 + ROUNDS * 4_000, 0.05)
      const oracle = await readOracle(sql)
      const first = await startAgentProcess(url, BUSY_FILE, 'first')
      const second = await startAgentProcess(url, BUSY_FILE, 'second')
      const writers = startRandomWriters(url, oracle, 2)
      const byId = new Map([first, second].map((agent, at) => [at === 0 ? 'first' : 'second', agent]))
      try {
        await first.run('expand')
        const { id } = await first.request('backfill', { batchSize: 50, checkpointInterval: 5, workers: 2 })
        const holder = async (): Promise<string> => {
          const [row] = await sql<{ agent: string }[]>`select agent from sti.operation where id = ${id}`
          return row!.agent
        }
        await waitFor('batches are written', async () => (await readLaneSums(sql, id)).written > 300, {
          ignoreErrors: true,
        })
        for (let turn = 0; turn < ROUNDS; turn++) {
          const name = await holder()
          const frozen = byId.get(name)!
          process.kill(frozen.pid, 'SIGSTOP')
          try {
            await waitFor('the other agent takes over', async () => (await holder()) !== name, {
              ignoreErrors: true,
            })
            const taken = await readLaneSums(sql, id)
            await waitFor('and works', async () => (await readLaneSums(sql, id)).written > taken.written + 100, {
              ignoreErrors: true,
            })
          } finally {
            process.kill(frozen.pid, 'SIGCONT')
          }
          await sleep(1_500)
          // The agent that woke up holds nothing: the other agent holds its lanes, and both report it.
          expect(await holder()).not.toBe(name)
          const [row] = await sql<{ agents: string[] }[]>`
            select to_jsonb(array_agg(distinct agent)) as agents from sti.lane where operation_id = ${id} and not finished`
          expect(row!.agents ?? []).not.toContain(name)
        }
        await waitFor(
          'it ends',
          async () => (await first.get<Operation>(`/v1/operations/${id}`)).state === 'succeeded',
          { seconds: 600, ignoreErrors: true },
        )
        await writers.stop()
        const found = await compareWithOracle(sql, oracle)
        console.log(`two agents, each frozen beyond its lease: ${summarizeMismatches(found)}`)
        expect(found.slice(0, 5)).toEqual([])
        expect(await takeEngineWrites(sql)).toBe((await readLaneSums(sql, id)).written)
      } finally {
        await writers.stop()
        await Promise.all([first.stop(), second.stop()])
      }
    })
  },
)
