import { setTimeout as sleep } from 'node:timers/promises'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type postgres from 'postgres'
import { startAgent, type Agent } from '../../agent/src/agent.ts'
import { isEnded, type OperationKind } from '../../agent/src/contract/index.ts'
import { insertOperation } from '../../agent/src/operation/insertOperation.ts'
import type { OperationRow } from '../../agent/src/operation/operationRow.ts'
import { compileRollout } from '../../agent/src/rollout/compileRollout.ts'
import type { FailpointHook } from '../../agent/src/kind/failpoints.ts'
import { testConfig } from '../support/agent.ts'
import { VEHICLES_FILE } from '../support/vehicles.ts'
import { isOk, waitFor } from '../support/waitFor.ts'

/** The file for the table in every schema of a tenant. */
export const inTenants = (file: string): string => file.replace('public.vehicles', 'tenant_*.vehicles')

export const TENANTS_FILE = inTenants(VEHICLES_FILE)

/** Creates `tenants` schemas with the legacy table, each with `rows` rows. */
export async function createTenants(sql: postgres.Sql, tenants: number, rows: number): Promise<void> {
  for (let i = 1; i <= tenants; i++)
    await sql.unsafe(`create schema tenant_${i};
      create table tenant_${i}.vehicles (id bigint generated always as identity primary key, name text not null,
        is_truck boolean not null, is_bike boolean not null);
      insert into tenant_${i}.vehicles (name, is_truck, is_bike)
        select 'v' || n, n % 10 < 3, n % 10 = 5 from generate_series(1, ${rows}) n;
      analyze tenant_${i}.vehicles`)
}

/** The rows of a table that do not have the type of their legacy columns. */
export async function countWrong(sql: postgres.Sql, schema: string): Promise<number> {
  const [row] = await sql.unsafe<{ wrong: number }[]>(`select count(*)::int as wrong from ${schema}.vehicles
    where type is distinct from case when is_truck then 'Truck' when is_bike then 'Bike' else 'Car' end`)
  return row!.wrong
}

export interface GroupAgent {
  readonly agent: Agent
  /** Requests an operation of the group. */
  request(kind: OperationKind, parameters?: Record<string, unknown>): Promise<bigint>
  /** Requests an operation and waits until it has ended or is paused. */
  run(kind: OperationKind, parameters?: Record<string, unknown>): Promise<OperationRow>
  waitForEnd(id: bigint): Promise<OperationRow>
}

/** Runs an agent with one file that names several tables. */
export async function withGroupAgent<T>(
  { url, sql }: { readonly url: string; readonly sql: postgres.Sql },
  use: (agent: GroupAgent) => Promise<T>,
  { name = 'agent-1', reached, file = TENANTS_FILE }: { name?: string; reached?: FailpointHook; file?: string } = {},
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'sti-groups-'))
  const { group, faults } = compileRollout('tenants.yaml', file)
  if (!group) throw new Error(faults.join('\n'))
  const log = (line: Record<string, unknown>): void =>
    void (line['level'] !== 'info' && console.error(JSON.stringify(line)))
  const agent = await startAgent(testConfig(url, folder, { agent: name }), [], '0.0.0', log, {
    groups: [group],
    ...(reached && { reached }),
  })
  const state = sql as unknown as Parameters<typeof insertOperation>[0]
  const waitForEnd = async (id: bigint): Promise<OperationRow> => {
    for (;;) {
      const [row] = await sql<OperationRow[]>`select * from sti.operation where id = ${String(id)}::bigint`
      if (isEnded(row!.state) || row!.state === 'paused') return row!
      await sleep(50)
    }
  }
  const request: GroupAgent['request'] = async (kind, parameters = {}) => {
    const { row } = await insertOperation(state, {
      rollout: group.name,
      kind,
      parameters,
      fileHash: group.hash,
      derivationHash: group.derivationHash,
      writesTable: kind !== 'validation',
      actor: { name: 'ann', level: 'admin', via: 'token' },
      reason: 'test',
      idempotencyKey: null,
    })
    return row.id
  }
  try {
    await waitFor('the agent is ready', () => isOk(`${agent.url}/readyz`), { seconds: 60 })
    return await use({
      agent,
      request,
      waitForEnd,
      run: async (kind, parameters) => await waitForEnd(await request(kind, parameters)),
    })
  } finally {
    await agent.stop()
    await rm(folder, { recursive: true, force: true })
  }
}
