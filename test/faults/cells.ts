import { startPostgres, type PostgresServer } from '../support/server.ts'
import { withAgent } from '../support/agent.ts'
import { startApplication } from './application.ts'
import type { Fault } from './fault.ts'
import { vehiclesFile } from './files.ts'
import { createDatabase, FLAGS, withSql } from './ground.ts'
import { control, findOne, type Outcome } from './seedOne.ts'
import { trafficTable } from './tables.ts'

const PER_SECOND = 20
const BASELINE_SECONDS = 90

/**
 * Faults that only time shows: a baseline under load, the whole rollout, the fault, and another minute of the same load.
 * All at once, each with a database, an application and an agent of its own, and one cell where nothing is seeded.
 */
export async function seedUnderTraffic(faults: readonly Fault[], report: (outcome: Outcome) => void): Promise<void> {
  const server = await startPostgres([...FLAGS])
  try {
    const cells = [...faults, null].map((fault, n) => cell(server, `cell_${n}`, fault).then(report))
    const ended = await Promise.allSettled(cells)
    for (const one of ended) if (one.status === 'rejected') throw one.reason
  } finally {
    await server.stop()
  }
}

async function cell(server: PostgresServer, name: string, fault: Fault | null): Promise<Outcome> {
  const application = await startApplication()
  try {
    const url = await createDatabase(server, name)
    return await withSql(url, async (sql) => {
      await trafficTable(sql)
      await application.lead(url)
      application.become({ listMs: 100, asksMore: true })
      application.load(PER_SECOND)
      return await withAgent(
        url,
        vehiclesFile(application.url),
        async (agent) => {
          await agent.run('baseline', { live: true, durationSeconds: BASELINE_SECONDS })
          for (const kind of ['expand', 'backfill'] as const) await agent.run(kind)
          await agent.run('validation', { layers: ['integrity'] })
          await agent.run('finalize')
          const place = { url, sql, agent, application, server, fillDisk: null }
          return fault === null ? await control(place) : await findOne(fault, place)
        },
        { log: () => undefined },
      )
    })
  } finally {
    await application.stop()
  }
}
