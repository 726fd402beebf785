import type postgres from 'postgres'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES, vehicles } from '../support/vehicles.ts'
import { quiet } from '../safety/asking.ts'

export interface Finalized {
  readonly url: string
  readonly sql: postgres.Sql
  readonly agent: TestAgent
}

/** A table of ten rows, or one of the test's own, rolled out up to where the flag may go on. */
export async function finalized(
  use: (of: Finalized) => Promise<void>,
  of: { file?: string; before?: string; table?: string; rows?: number } = {},
): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    if (of.table) await sql.unsafe(`create extension pg_stat_statements; ${of.table}`)
    else await vehicles(sql, of.rows ?? 10)
    if (of.before) await sql.unsafe(of.before)
    await withAgent(
      url,
      of.file ?? VEHICLES,
      async (agent) => {
        for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await agent.run(kind)
        await use({ url, sql, agent })
      },
      quiet,
    )
  })
}

export const withConflicts = (policy: 'refuse' | 'legacy' | 'type', file = VEHICLES): string =>
  `${file}conflicts: ${policy}\n`

export const NO_RESTORE = `${VEHICLES.replaceAll(/, restore: \{[^}]*\}/g, '')}restore: none\nacceptLostWrites: true\n`
