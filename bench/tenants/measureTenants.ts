import { tmpdir } from 'node:os'
import postgres from 'postgres'
import type { OperationKind } from '../../agent/src/contract/index.ts'
import { countWrong, createTenants, TENANTS_FILE } from '../../test/groups/tenants.ts'
import { startAgentProcess } from '../../test/support/agentProcess.ts'
import { startPostgres } from '../../test/support/server.ts'
import { SERVER_SETTINGS } from '../dedicatedServer.ts'
import { operationSeconds, readPeakRss, resetPeakRss } from '../methods/agentRun.ts'

export interface TenantsStep {
  readonly step: string
  readonly seconds: number
  /** The peak during the step (Linux only). */
  readonly agentRssBytes?: number
}

const STEPS: readonly (readonly [OperationKind, Record<string, unknown>?])[] = [
  ['expand'],
  ['backfill'],
  ['validation'],
  ['rollback', { scope: 'system', confirm: 'vehicles' }],
]

/** Runs every step with an agent in a process of its own. @throws if a step fails, or a row has not the type that it should have */
export async function measureTenants({ tenants, rows }: { tenants: number; rows: number }): Promise<TenantsStep[]> {
  const server = await startPostgres(
    SERVER_SETTINGS.flatMap((setting) => ['-c', setting]),
    tmpdir(),
  )
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined })
  try {
    await createTenants(sql, tenants, rows)
    const agent = await startAgentProcess(server.url, TENANTS_FILE)
    try {
      const steps: TenantsStep[] = []
      for (const [kind, parameters] of STEPS) {
        await resetPeakRss(agent.pid)
        const operation = await agent.run(kind, parameters)
        const verdict = (operation.result?.['verdict'] ?? 'pass') as string
        if (operation.state !== 'succeeded' || verdict !== 'pass')
          throw new Error(`${kind} ${operation.state}, ${verdict}: ${operation.error ?? 'see sti tables'}`)
        steps.push({ step: kind, seconds: operationSeconds(operation), ...(await readPeakRss(agent.pid)) })
        if (kind === 'backfill')
          for (let i = 1; i <= tenants; i++)
            if ((await countWrong(sql, `tenant_${i}`)) > 0) throw new Error(`tenant_${i} has rows with a wrong type`)
      }
      return steps
    } finally {
      await agent.stop()
    }
  } finally {
    await sql.end({ timeout: 5 })
    await server.stop()
  }
}
