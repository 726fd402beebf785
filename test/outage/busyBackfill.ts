import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { expect } from 'vitest'
import type { Operation } from '../../agent/src/contract/index.ts'
import { takeEngineWrites, readLaneSums, createLegacyTable, TRIGGERS_FILE_PART } from '../crash/legacyTable.ts'
import {
  compareWithOracle,
  readOracle,
  startRandomWriters,
  summarizeMismatches,
  type RandomWriters,
} from '../crash/randomWriters.ts'
import { startAgentProcess, type AgentProcess } from '../support/agentProcess.ts'
import { VEHICLES_FILE } from '../support/vehicles.ts'
import { StopWaitingError, waitFor } from '../support/waitFor.ts'

/** `STI_CRASH_ROUNDS=5` freezes and kills more often. */
export const ROUNDS = Number(process.env['STI_CRASH_ROUNDS'] ?? 1)

export const BUSY_FILE = `${VEHICLES_FILE}${TRIGGERS_FILE_PART}`

export interface BusyBackfill {
  readonly agent: AgentProcess
  /** The backfill's operation. */
  readonly id: number
  readonly sql: postgres.Sql
  readonly writers: RandomWriters
}

export interface BusyOptions {
  /** The URL of the database for the writers and the test. */
  readonly url: string
  /** The URL of the database for the agent; the same by default. */
  readonly agentUrl?: string
  readonly rows?: number
  /** The delay added to each batch of 50 rows. */
  readonly slowSeconds?: number
  readonly checkpointInterval?: number
  readonly file?: string
}

/**
 * Runs a backfill with concurrent writers while the test injects a fault. The backfill must end without help, in the
 * process that started it, and table and counters must be exact afterwards. Returns a summary of lost, duplicated,
 * and wrong rows.
 */
export async function withBusyBackfill(
  options: BusyOptions,
  disturb: (busy: BusyBackfill) => Promise<void>,
): Promise<string> {
  const { url, rows = 4_000, slowSeconds = 0.03, checkpointInterval = 10, file = BUSY_FILE } = options
  const sql = postgres(url, { max: 2, onnotice: () => undefined, backoff: () => 0.1 })
  try {
    await createLegacyTable(sql, rows, slowSeconds)
    const oracle = await readOracle(sql)
    const agent = await startAgentProcess(options.agentUrl ?? url, file)
    const writers = startRandomWriters(url, oracle, 2)
    try {
      await agent.run('expand')
      const { id } = await agent.request('backfill', { batchSize: 50, checkpointInterval, workers: 2 })
      await waitFor('batches are written', async () => (await readLaneSums(sql, id)).written > 300, {
        ignoreErrors: true,
      })
      await disturb({ agent, id, sql, writers })
      await waitFor(
        'the backfill ends',
        async () => {
          const operation = await readOperation(agent, id)
          if (operation.state === 'failed') throw new StopWaitingError(operation.error ?? 'failed')
          return operation.state === 'succeeded'
        },
        { seconds: 600, ignoreErrors: true },
      )
      await writers.stop()
      // The test's statements may still use a connection that the outage has broken.
      const found = await retry(() => compareWithOracle(sql, oracle))
      expect(found.slice(0, 5)).toEqual([])
      expect(await takeEngineWrites(sql)).toBe((await readLaneSums(sql, id)).written)
      expect(process.kill(agent.pid, 0)).toBe(true)
      return summarizeMismatches(found)
    } finally {
      await writers.stop().catch(() => undefined)
      await agent.stop()
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
}

export const readOperation = (agent: AgentProcess, id: number): Promise<Operation> =>
  agent.get<Operation>(`/v1/operations/${id}`)

export const isReady = (agent: AgentProcess): Promise<boolean> =>
  fetch(`${agent.url}/readyz`).then((answer) => answer.ok)

async function retry<T>(ask: () => Promise<T>): Promise<T> {
  for (let attempt = 0; attempt < 5; attempt++) {
    try {
      return await ask()
    } catch {
      await sleep(200)
    }
  }
  return await ask()
}
