import { tmpdir } from 'node:os'
import postgres from 'postgres'
import type { AgentProcess } from '../../test/support/agentProcess.ts'
import { startPostgres } from '../../test/support/server.ts'
import { operationSeconds, withAgentProcess } from '../methods/agentRun.ts'
import { SERVER_SETTINGS } from '../dedicatedServer.ts'
import { createBenchTable } from '../benchTable.ts'

/** Server time in seconds, by pg_stat_statements. */
export interface ValidationCost {
  readonly countSeconds: number
  readonly readingSeconds: number
  /** From request to end, as a user sees it. */
  readonly operationSeconds: number
}

interface CoveredTable {
  readonly agent: AgentProcess
  readonly sql: postgres.Sql
  readonly rows: number
}

/** Provides a table with verified coverage, vacuumed and analyzed. */
export async function withCoveredTable<T>(rows: number, use: (at: CoveredTable) => Promise<T>): Promise<T> {
  const server = await startPostgres(
    SERVER_SETTINGS.flatMap((setting) => ['-c', setting]),
    tmpdir(),
  )
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  try {
    await sql`create extension pg_stat_statements`
    await createBenchTable(sql, rows, 50)
    return await withAgentProcess(server.url, false, async (agent) => {
      await agent.run('expand')
      await agent.run('backfill')
      await sql`vacuum (analyze) public.vehicles`
      await sql`checkpoint`
      return await use({ agent, sql, rows })
    })
  } finally {
    await sql.end({ timeout: 5 })
    await server.stop()
  }
}

/** The checks that need only that reading. */
const READING_CHECKS = ['coverage', 'type-matches-legacy', 'no-unknown-type']

export async function measureValidation({ agent, sql, rows }: CoveredTable): Promise<ValidationCost> {
  await sql`select pg_stat_statements_reset()`
  await sql`select count(*) from public.vehicles`
  const countSeconds = await statementSeconds(sql, 'select count(*) from public.vehicles%')
  const operation = await agent.run('validation', { checks: READING_CHECKS })
  const { verdict, rows: read } = operation.result as { verdict: string; rows: number }
  if (verdict !== 'pass' || read !== rows) throw new Error(`the validation read ${read} of ${rows} rows: ${verdict}`)
  return {
    countSeconds,
    readingSeconds: await statementSeconds(sql, '%/* sti */%"vehicles"%'),
    operationSeconds: operationSeconds(operation),
  }
}

async function statementSeconds(sql: postgres.Sql, like: string): Promise<number> {
  const [row] = await sql<{ seconds: number }[]>`
    select coalesce(sum(total_exec_time + total_plan_time), 0)::float8 / 1000 as seconds from pg_stat_statements where query like ${like}`
  if (!row?.seconds) throw new Error(`pg_stat_statements has no ${like}`)
  return row.seconds
}
