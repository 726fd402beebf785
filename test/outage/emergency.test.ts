import postgres from 'postgres'
import { expect, test } from 'vitest'
import type { Operation, RolloutDetail } from '../../agent/src/contract/index.ts'
import { TOKENS } from '../support/agent.ts'
import { startAgentProcess, type AgentProcess } from '../support/agentProcess.ts'
import { withSti } from '../support/stiCommand.ts'
import { startPostgres, type PostgresServer } from '../support/server.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { isReady } from './busyBackfill.ts'
import { withSmallDisk } from './smallDisk.ts'
import { waitFor } from '../support/waitFor.ts'

/** The flag as seen by an application with the timeout from docs/flag.md: the default in its code is off. */
async function readFlagState(agent: Pick<AgentProcess, 'url'>): Promise<boolean> {
  try {
    const answer = await fetch(`${agent.url}/ofrep/v1/evaluate/flags/vehicles-sti`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${TOKENS.flag}`,
        'content-type': 'application/json',
        'x-sti-client': 'shop-1',
      },
      body: JSON.stringify({ context: { targetingKey: 'a' } }),
      signal: AbortSignal.timeout(250),
    })
    return ((await answer.json()) as { value?: boolean }).value === true
  } catch {
    return false
  }
}

async function withFlagOn(
  server: PostgresServer,
  use: (environment: { agent: AgentProcess; sql: postgres.Sql; again(): Promise<AgentProcess> }) => Promise<void>,
): Promise<void> {
  const sql = postgres(server.url, { max: 1, onnotice: () => undefined, backoff: () => 0.1 })
  const agents: AgentProcess[] = []
  const again = async (): Promise<AgentProcess> => {
    const agent = await startAgentProcess(server.url, VEHICLES_FILE)
    agents.push(agent)
    return agent
  }
  try {
    await createVehicles(sql, 200)
    const first = await again()
    for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await first.run(kind)
    await turnOn(first)
    await use({ agent: first, sql, again })
  } finally {
    await agents.at(-1)?.stop()
    await sql.end({ timeout: 1 })
  }
}

async function turnOn(agent: AgentProcess): Promise<void> {
  await agent.run('flag', { enabled: true, percentage: 100 })
  expect(await readFlagState(agent)).toBe(true)
}

/** The statement in the runbook. */
const turnOffStatement = (sql: postgres.Sql): Promise<unknown> => sql`
  update sti.flag set enabled = false, percentage = 0, version = version + 1, changed_at = clock_timestamp() where rollout = 'vehicles'`

test('emergency procedures: Grafana down, agent down, database down, and both', async () => {
  const server = await startPostgres(['-c', 'fsync=off'])
  try {
    await withFlagOn(server, async ({ agent, sql, again }) => {
      await withSti(async (sti) => {
        // Grafana down: there is no Grafana, and the command does not need it.
        const off = await sti(agent.url, 'flag', '--environment', 'staging', '--disable')
        expect(off).toMatchObject({ code: 0 })
        expect(await readFlagState(agent)).toBe(false)
        expect((await sti(agent.url, 'status')).out).toMatch(/flag +vehicles-sti off\n/)

        // Agent down: clients get no answer. The statement keeps the flag off once an agent is available again.
        await turnOn(agent)
        await agent.kill()
        expect(await readFlagState(agent)).toBe(false)
        await turnOffStatement(sql)
        const second = await again()
        expect(await readFlagState(second)).toBe(false)
        expect((await second.get<RolloutDetail>('/v1/rollouts/vehicles')).flag).toMatchObject({
          enabled: false,
          consistent: true,
        })

        // Database down: the agent keeps answering from memory, turns the flag off immediately on request, and writes
        // it later.
        await turnOn(second)
        await server.crash()
        expect(await readFlagState(second)).toBe(true)
        const inMemory = await sti(second.url, 'flag', '--disable')
        expect(inMemory).toMatchObject({ code: 0 })
        expect(inMemory.out).toMatch(/serves the flag as off from memory\. The change is not yet in the database/)
        expect(await readFlagState(second)).toBe(false)
        await server.restart()
        await waitFor(
          'it is written',
          async () => {
            const [flag] = await sql<{ enabled: boolean }[]>`select enabled from sti.flag`
            return flag?.enabled === false
          },
          { seconds: 30, ignoreErrors: true },
        )
        await waitFor('ready again', () => isReady(second), { seconds: 30, ignoreErrors: true })
        expect(await readFlagState(second)).toBe(false)

        // Agent and database down: the statement must run before anything is started.
        await turnOn(second)
        await server.crash()
        await second.kill()
        expect(await readFlagState(second)).toBe(false)
        await server.restart()
        await waitFor('the statement', () => turnOffStatement(sql).then(() => true), {
          seconds: 30,
          ignoreErrors: true,
        })
        expect(await readFlagState(await again())).toBe(false)
      })
    })
  } finally {
    await server.stop()
  }
})

test('emergency procedures: the WAL disk is full', async () => {
  const mounted = await withSmallDisk(160, async ({ server, fill, free }) => {
    await withFlagOn(server, async ({ agent, sql }) => {
      await fill(0)
      // Writes of another session fill the rest of the current segment.
      await expect(
        sql.unsafe(
          'create table public.bulk as select repeat(md5(n::text), 30) as text from generate_series(1, 200000) n',
        ),
      ).rejects.toThrow()
      await withSti(async (sti) => {
        const off = await sti(agent.url, 'flag', '--disable')
        expect(off).toMatchObject({ code: 0 })
        expect(await readFlagState(agent)).toBe(false)
        await free()
        await server.crash()
        await server.restart()
        await waitFor(
          'it is written',
          async () => {
            const { operations } = await agent.get<{ operations: Operation[] }>('/v1/operations')
            return operations[0]?.kind === 'flag' && operations[0].parameters['enabled'] === false
          },
          { seconds: 30, ignoreErrors: true },
        )
        expect(await readFlagState(agent)).toBe(false)
      })
    })
  })
  if (!mounted) console.log('the WAL disk was not filled: file systems cannot be mounted here')
})
