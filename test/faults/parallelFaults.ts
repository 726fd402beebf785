import { startPostgres, type PostgresServer } from '../support/server.ts'
import { withAgent } from '../support/agent.ts'
import { startFaultyApplication } from './faultyApplication.ts'
import type { SeededFault } from './fault.ts'
import { vehiclesFile } from './rolloutFiles.ts'
import { createDatabase, POSTGRES_FLAGS, withSql } from './testEnvironment.ts'
import { validateHealthyPlace, seedAndValidate, type SeedOutcome } from './seedFault.ts'
import { createTrafficTable } from './faultTables.ts'

const REQUESTS_PER_SECOND = 20
const BASELINE_SECONDS = 90

/**
 * Seeds faults that need time to show: a baseline under load, the whole rollout, the fault, and another minute of the same
 * load. Runs all faults in parallel, each with its own database, application and agent, and one control without a fault.
 */
export async function seedUnderTraffic(
  faults: readonly SeededFault[],
  report: (outcome: SeedOutcome) => void,
): Promise<void> {
  const server = await startPostgres([...POSTGRES_FLAGS])
  try {
    const cells = [...faults, null].map((fault, n) => seedInCell(server, `cell_${n}`, fault).then(report))
    const ended = await Promise.allSettled(cells)
    for (const result of ended) if (result.status === 'rejected') throw result.reason
  } finally {
    await server.stop()
  }
}

async function seedInCell(server: PostgresServer, name: string, fault: SeededFault | null): Promise<SeedOutcome> {
  const application = await startFaultyApplication()
  try {
    const url = await createDatabase(server, name)
    return await withSql(url, async (sql) => {
      await createTrafficTable(sql)
      await application.connectTo(url)
      application.become({ listMs: 100, asksMore: true })
      application.load(REQUESTS_PER_SECOND)
      return await withAgent(
        url,
        vehiclesFile(application.url),
        async (agent) => {
          await agent.run('baseline', { live: true, durationSeconds: BASELINE_SECONDS })
          for (const kind of ['expand', 'backfill'] as const) await agent.run(kind)
          await agent.run('validation', { layers: ['integrity'] })
          await agent.run('finalize')
          const place = { url, sql, agent, application, server, fillDisk: null }
          return fault === null ? await validateHealthyPlace(place) : await seedAndValidate(fault, place)
        },
        { log: () => undefined },
      )
    })
  } finally {
    await application.stop()
  }
}
