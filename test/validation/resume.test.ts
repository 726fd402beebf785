import { setTimeout as sleep } from 'node:timers/promises'
import type postgres from 'postgres'
import { expect, test } from 'vitest'
import type { Operation, OperationEvent } from '../../agent/src/contract/index.ts'
import type { TestAgentClient } from '../support/agent.ts'
import { withAgent } from '../support/agent.ts'
import { startAgentProcess } from '../support/agentProcess.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { waitFor } from '../support/waitFor.ts'

const ROWS = 30_000
const FILE = VEHICLES_FILE.replace('when: is_truck', 'when: "slowly(is_truck)"')

/** Reading the table takes some seconds; writing to it does not. */
async function slowToRead(sql: postgres.Sql): Promise<void> {
  await createVehicles(sql, ROWS)
  await sql.unsafe(`create function public.slowly(is_truck boolean) returns boolean language plpgsql immutable as $$ begin
    if current_setting('transaction_read_only') = 'on' and random() < 0.03 then perform pg_sleep(0.001); end if;
    return is_truck; end $$`)
}

const operationOf = (agent: TestAgentClient, id: number): Promise<Operation> => agent.get(`/v1/operations/${id}`)

async function readMessages(agent: TestAgentClient, id: number): Promise<string> {
  const { events } = await agent.get<{ events: OperationEvent[] }>(`/v1/operations/${id}/events`)
  return events.map((event) => event.message).join('\n')
}

async function waitForBegin(agent: TestAgentClient): Promise<number> {
  const { id } = await agent.request('validation', { layers: ['integrity'] })
  await waitFor('rows are read', async () => ((await operationOf(agent, id)).progress?.processedRows ?? 0) > 1_000)
  return id
}

test('a paused validation resumes where it stopped, and restarts if resuming would be meaningless', async () => {
  await withDatabase(async ({ url, sql }) => {
    await slowToRead(sql)
    await withAgent(url, FILE, async (agent) => {
      await agent.run('expand')
      await agent.run('backfill')
      const paused = async (): Promise<{ id: number; position: number }> => {
        const id = await waitForBegin(agent)
        await agent.post(`/v1/operations/${id}/pause`, {})
        expect((await agent.waitForEnd(id)).state).toBe('paused')
        const [row] = await sql<{ position: string[]; finished: boolean }[]>`
          select position, finished from sti.validation_scan where operation_id = ${id}`
        expect(row!.finished).toBe(false)
        return { id, position: Number(row!.position[0]) }
      }
      const resumed = async (id: number): Promise<Operation> => {
        await agent.post(`/v1/operations/${id}/resume`, {})
        await waitFor('it runs', async () => (await operationOf(agent, id)).state !== 'paused')
        return await agent.waitForEnd(id)
      }
      const first = await paused()
      const at = Date.now()
      // Rows that are correct before and after are not a fault, and neither are rows added behind the scan.
      await sql`update public.vehicles set is_truck = not is_truck where id in (1, ${first.position}, ${first.position + 1})`
      await sleep(2_000)
      const whole = await resumed(first.id)
      expect(whole.result).toMatchObject({ verdict: 'pass', rows: ROWS, coverage: 1 })
      // The time that it was paused is no work: an estimate must not count it.
      const elapsedSeconds = (Date.parse(whole.endedAt!) - Date.parse(whole.startedAt!)) / 1_000
      expect(whole.workedSeconds).toBeGreaterThan(0)
      expect(whole.workedSeconds).toBeLessThan(elapsedSeconds - 1.9)
      expect(await readMessages(agent, first.id)).toMatch(
        new RegExp(
          `resumes the scan at ${first.position} after ${Number(first.position).toLocaleString('en-US')} rows`,
        ),
      )
      const { startedAt } = (await agent.rollout()).validation!
      expect(Date.parse(startedAt)).toBeLessThan(at)
      expect(await sql`select from sti.validation_scan`).toHaveLength(0)

      const rewritten = await paused()
      await sql`cluster public.vehicles using vehicles_pkey`
      expect((await resumed(rewritten.id)).result).toMatchObject({ verdict: 'pass', rows: ROWS })
      expect(await readMessages(agent, rewritten.id)).toContain(
        'restarts the scan: the table was recreated or rewritten',
      )

      const written = await paused()
      await agent.run('backfill')
      expect((await resumed(written.id)).result).toMatchObject({ verdict: 'pass', rows: ROWS })
      expect(await readMessages(agent, written.id)).toContain(
        'restarts the scan: a bulk write has run since the scan started',
      )
      expect((await agent.rollout()).stage).toBe('verified')
    })
  })
})

test('another agent continues the validation of an agent that dies', async () => {
  await withDatabase(async ({ url, sql }) => {
    await slowToRead(sql)
    const first = await startAgentProcess(url, FILE)
    let id = 0
    try {
      await first.run('expand')
      await first.run('backfill')
      id = await waitForBegin(first)
      await waitFor(
        'its position is saved',
        async () => (await sql`select from sti.validation_scan where position is not null`)[0],
      )
    } finally {
      await first.kill()
    }
    const second = await startAgentProcess(url, FILE, 'agent-2')
    try {
      expect((await second.waitForEnd(id)).result).toMatchObject({ verdict: 'pass', rows: ROWS, coverage: 1 })
      expect(await readMessages(second, id)).toMatch(/taken over.*\n(.*\n)*resumes the scan at \d+/)
    } finally {
      await second.stop()
    }
  })
})
