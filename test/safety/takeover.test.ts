import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { readOperation, QUIET_LOG } from '../support/operations.ts'
import {
  engineBackendPids,
  waitForEngineLockWait,
  slowUpdates,
  countTypedRows,
  withSession,
  countWrongRows,
} from '../support/faultInjection.ts'
import { waitFor } from '../support/waitFor.ts'

const FILE = `${VEHICLES_FILE}triggers: { slow: harmless }\n`

test('a run whose lease expires in a batch is taken over: it stops, and no row is counted twice', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 2_000)
    await slowUpdates(sql, 0.05)
    await withAgent(
      url,
      FILE,
      async (agent) => {
        await agent.run('expand')
        const { id } = await agent.request('backfill', { batchSize: 100 })
        await waitFor('rows are written', async () => (await countTypedRows(sql)) > 0)
        const [before] = await sql<
          { epoch: number; claim: string }[]
        >`select epoch::int, claim from sti.operation where id = ${id}`
        await withSession(url, async (session) => {
          await session.unsafe('begin; select from public.vehicles where id = 1500 for update')
          const hanging = await waitForEngineLockWait(sql, 'backfill')
          await sql`update sti.operation set lease_until = clock_timestamp() - interval '1 s', agent = 'gone',
            claim = gen_random_uuid(), epoch = epoch + 1 where id = ${id}`
          await waitFor('another agent holds it', async () => {
            const pids = await engineBackendPids(sql, 'backfill')
            return pids.some((pid) => pid !== hanging)
          })
          await session.unsafe('commit')
          await waitFor(
            'the old run has stopped',
            async () => !(await engineBackendPids(sql, 'backfill')).includes(hanging),
          )
        })
        expect(await agent.waitForEnd(id)).toMatchObject({
          state: 'succeeded',
          result: { passedRows: 2_000, writtenRows: 2_000, failedRows: 0 },
          progress: { processedRows: 2_000, totalRows: 2_000, ratio: 1 },
        })
        expect(await countWrongRows(sql)).toBe(0)
        const [lane] = await sql`select sum(written_rows)::int as written from sti.lane where operation_id = ${id}`
        expect(lane).toEqual({ written: 2_000 })
        const [after] = await sql<{ epoch: number }[]>`select epoch::int from sti.operation where id = ${id}`
        expect(after!.epoch).toBeGreaterThanOrEqual(before!.epoch + 2)
      },
      QUIET_LOG,
    )
  })
})

test('DDL of an agent that has lost its claim changes nothing', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 10)
    await withAgent(
      url,
      VEHICLES_FILE,
      async (first) => {
        const id = await withSession(url, async (session) => {
          await session.unsafe('begin; select from public.vehicles')
          const operation = await first.request('expand')
          await waitForEngineLockWait(sql, 'agent-1 expand')
          // Simulates another holder for the rest of the test.
          await sql`update sti.operation set agent = 'other', claim = gen_random_uuid(), epoch = epoch + 1,
            lease_until = clock_timestamp() + interval '1 hour' where id = ${operation.id}`
          await session.unsafe('commit')
          return operation.id
        })
        await waitFor('it has stopped', async () => (await engineBackendPids(sql, 'agent-1 expand')).length === 0)
        expect(
          await sql`select attname from pg_attribute where attrelid = 'public.vehicles'::regclass and attname = 'type'`,
        ).toEqual([])
        expect(await readOperation(first, id)).toMatchObject({ state: 'running', agent: 'other' })
      },
      QUIET_LOG,
    )
  })
})
