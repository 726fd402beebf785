import type postgres from 'postgres'
import type { Config } from '../../agent/src/config.ts'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withMetricsApplication, type MetricsApplication } from '../support/applicationMetrics.ts'
import { withDatabase } from '../support/database.ts'
import { createVehicles, VEHICLES_FILE } from '../support/vehicles.ts'

export interface ObservedRollout {
  readonly agent: TestAgent
  readonly application: MetricsApplication
  readonly sql: postgres.Sql
}

/** Runs an agent that reads the metrics of an application, with a rollout of a few vehicles. */
export async function withObservedRollout(
  config: Partial<Config>,
  use: (rollout: ObservedRollout) => Promise<void>,
  rows = 10,
): Promise<void> {
  await withMetricsApplication(async (application) => {
    await withDatabase(async ({ url, sql }) => {
      await createVehicles(sql, rows)
      await withAgent(url, VEHICLES_FILE + application.file, (agent) => use({ agent, application, sql }), { config })
    })
  })
}
