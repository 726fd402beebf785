import type postgres from 'postgres'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { QUIET_LOG } from '../support/operations.ts'

export interface FinalizedRollout {
  readonly url: string
  readonly sql: postgres.Sql
  readonly agent: TestAgent
}

/** A table of ten rows, or the test's own table, rolled out up to the point where the flag may be turned on. */
export async function withFinalizedRollout(
  use: (options: FinalizedRollout) => Promise<void>,
  options: { file?: string; before?: string; table?: string; rows?: number } = {},
): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    if (options.table) await sql.unsafe(`create extension pg_stat_statements; ${options.table}`)
    else await createVehicles(sql, options.rows ?? 10)
    if (options.before) await sql.unsafe(options.before)
    await withAgent(
      url,
      options.file ?? VEHICLES_FILE,
      async (agent) => {
        for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await agent.run(kind)
        await use({ url, sql, agent })
      },
      QUIET_LOG,
    )
  })
}

export const withConflicts = (policy: 'refuse' | 'legacy' | 'type', file = VEHICLES_FILE): string =>
  `${file}conflicts: ${policy}\n`

export const NO_RESTORE_FILE = `${VEHICLES_FILE.replaceAll(/, restore: \{[^}]*\}/g, '')}restore: none\nacceptLostWrites: true\n`
