import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Operation } from '../../agent/src/contract/index.ts'
import { startAgentProcess, type AgentProcess } from '../support/agentProcess.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE } from '../support/vehicles.ts'
import { takeEngineWrites, readLaneSums, createLegacyTable, TRIGGERS_FILE_PART } from './legacyTable.ts'
import { compareWithOracle, readOracle, startRandomWriters, summarizeMismatches } from './randomWriters.ts'

/** `STI_CRASH_KILLS=200 npm test -- test/crash` kills more often. */
const KILLS = Number(process.env['STI_CRASH_KILLS'] ?? 5)
const FILE = `${VEHICLES_FILE}${TRIGGERS_FILE_PART}`

test(
  `an agent with two workers killed ${KILLS} times at random with concurrent writers loses, duplicates, and misses no row`,
  { timeout: 60_000 + KILLS * 30_000 },
  async () => {
    await withDatabase(async ({ url, sql }) => {
      await createLegacyTable(sql, 30_000 + KILLS * 2_000)
      const oracle = await readOracle(sql)
      let agent: AgentProcess = await startAgentProcess(url, FILE)
      await agent.run('expand')
      const writers = startRandomWriters(url, oracle, 3)
      // Small batches give many moments at which the agent can be killed.
      const { id } = await agent.request('backfill', { batchSize: 50, checkpointInterval: 3, workers: 2 })
      let kills = 0
      while (kills < KILLS) {
        await sleep(Math.random() * 1_500)
        const { state } = await agent.get<Operation>(`/v1/operations/${id}`)
        if (state === 'succeeded') break
        await agent.kill()
        kills++
        agent = await startAgentProcess(url, FILE)
      }
      const ended = await agent.waitForEnd(id)
      expect(ended).toMatchObject({ state: 'succeeded', error: null })
      expect(kills).toBeGreaterThan(KILLS / 2)
      await writers.stop()
      expect(writers.writes()).toBeGreaterThan(100)
      const found = await compareWithOracle(sql, oracle)
      console.log(
        `killed at random: ${kills} kills, ${writers.writes()} writes of others, ${summarizeMismatches(found)}`,
      )
      expect(found.slice(0, 5)).toEqual([])
      // A batch counts its rows in the transaction that writes them: no row is counted twice or missed.
      const { written } = await readLaneSums(sql, id)
      expect(await takeEngineWrites(sql)).toBe(written)
      expect(ended.result).toMatchObject({ writtenRows: written })
      expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass', coverage: 1, rows: oracle.size })
      await agent.stop()
    })
  },
)
