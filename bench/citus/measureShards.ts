import { withCitusDatabase } from '../../test/support/citusDatabase.ts'
import { TOKENS } from '../../test/support/agent.ts'
import type { AgentProcess } from '../../test/support/agentProcess.ts'
import { ADD_COLUMN_SQL, countWrongRows, createBenchTable, DERIVED_TYPE_SQL } from '../benchTable.ts'
import { operationSeconds, withAgentProcess } from '../methods/agentRun.ts'

export interface ShardedTable {
  /** The coordinator. */
  readonly url: string
  readonly shards: number
  readonly rows: number
}

/** Batches of a backfill by their duration. */
export interface BatchDurations {
  readonly batches: number
  readonly within100Ms: number
}

/** Seconds of one UPDATE through the coordinator, without a trigger. */
export async function measureUpdate(table: ShardedTable): Promise<number> {
  return await withShardedTable(table, async (_url, update) => {
    await update(ADD_COLUMN_SQL)
    const started = performance.now()
    await update(`update public.vehicles set type = ${DERIVED_TYPE_SQL}`)
    return (performance.now() - started) / 1000
  })
}

/** A backfill as users run it, with its trigger, checkpoints, throttle and final sweep. */
export async function measureBackfill(
  table: ShardedTable,
  workers: number,
): Promise<BatchDurations & { readonly seconds: number }> {
  return await withShardedTable(table, (url) =>
    withAgentProcess(url, false, async (agent) => {
      await agent.run('expand')
      const seconds = operationSeconds(await agent.run('backfill', { workers }))
      return { seconds, ...(await readBatchDurations(agent)) }
    }),
  )
}

/** Every measurement has a database and a table of its own. @throws if a row is left without its type */
async function withShardedTable<T>(
  { url, shards, rows }: ShardedTable,
  use: (url: string, update: (text: string) => Promise<unknown>) => Promise<T>,
): Promise<T> {
  return await withCitusDatabase(url, async ({ url: own, sql, workers }) => {
    const distribute = `select create_distributed_table('public.vehicles', 'id', shard_count => ${shards})`
    await createBenchTable(sql, rows, 50, distribute)
    for (const worker of workers) await worker`checkpoint`
    const result = await use(own, (text) => sql.unsafe(text))
    const wrong = await countWrongRows(sql, rows, 'types')
    if (wrong !== 0) throw new Error(`${wrong} rows are wrong`)
    return result
  })
}

async function readBatchDurations(agent: AgentProcess): Promise<BatchDurations> {
  const answer = await fetch(`${agent.url}/metrics`, { headers: { authorization: `Bearer ${TOKENS.viewer}` } })
  const metrics = await answer.text()
  const read = (series: RegExp): number => {
    const value = series.exec(metrics)?.[1]
    if (value === undefined) throw new Error(`the agent reports no ${series.source}`)
    return Number(value)
  }
  return {
    batches: read(/^sti_backfill_batch_seconds_count\{.*\} (\d+)$/m),
    within100Ms: read(/^sti_backfill_batch_seconds_bucket\{.*le="0\.1".*\} (\d+)$/m),
  }
}
