import type postgres from 'postgres'
import { expect, test } from 'vitest'
import type { Operation } from '../../agent/src/contract/index.ts'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { createBatchSizeController } from '../../agent/src/engine/batchSizeController.ts'
import { walkRanges } from '../../agent/src/engine/rangeWalk.ts'
import { withTestLane } from './testLane.ts'
import { readFailedRows, readOperation, QUIET_LOG, controlOperation } from '../support/operations.ts'
import {
  engineBackendPids,
  waitForEngineLockWait,
  holdTransaction,
  slowUpdates,
  countTypedRows,
  withSession,
  countWrongRows,
} from '../support/faultInjection.ts'
import { waitFor } from '../support/waitFor.ts'

interface InterruptedBackfill {
  readonly url: string
  readonly sql: postgres.Sql
  readonly agent: TestAgent
  readonly id: number
  ended(): Promise<Operation>
}

/** Starts a backfill of 2,000 rows in batches of 100 that has written some of them. `first` runs before it starts. */
async function withRunningBackfill(
  use: (running: InterruptedBackfill) => Promise<void>,
  seconds = 0.05,
  first: (url: string) => Promise<unknown> = async () => undefined,
): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 2_000)
    await slowUpdates(sql, seconds)
    await withAgent(
      url,
      `${VEHICLES_FILE}triggers: { slow: harmless }\nerrorBudget: 1\n`,
      async (agent) => {
        await agent.run('expand')
        await first(url)
        const { id } = await agent.request('backfill', { batchSize: 100 })
        await waitFor('rows are written', async () => (await countTypedRows(sql)) > 0)
        await use({ url, sql, agent, id, ended: () => agent.waitForEnd(id) })
      },
      QUIET_LOG,
    )
  })
}

async function expectRight({ sql, ended }: InterruptedBackfill): Promise<Operation> {
  const operation = await ended()
  expect(operation).toMatchObject({
    state: 'succeeded',
    result: { passedRows: 2_000, writtenRows: 2_000, failedRows: 0 },
  })
  expect(operation.progress).toMatchObject({ processedRows: 2_000, totalRows: 2_000, ratio: 1 })
  expect(await countWrongRows(sql)).toBe(0)
  return operation
}

/** The application's own trigger raises this error. */
const raiseOnUpdate = (sql: postgres.Sql, sqlstate: string, when = 'true') =>
  sql.unsafe(`create or replace function public.slow() returns trigger language plpgsql as
    $$ begin if ${when} then raise exception 'as if' using errcode = '${sqlstate}'; end if; return null; end $$`)

test('57P01: the connection of the engine is terminated repeatedly; nothing is lost or counted twice', async () => {
  await withRunningBackfill(async (running) => {
    for (let kill = 0; kill < 3; kill++) {
      const pid = await waitFor(
        'the engine is connected',
        async () => (await engineBackendPids(running.sql, 'backfill'))[0],
      )
      await running.sql`select pg_terminate_backend(${pid})`
      await waitFor('it is closed', async () => !(await engineBackendPids(running.sql, 'backfill')).includes(pid))
    }
    const { progress } = await expectRight(running)
    const kills = ['57P01', 'CONNECTION_CLOSED'].reduce((sum, code) => sum + (progress!.retries[code] ?? 0), 0)
    expect(kills).toBeGreaterThan(0)
  })
})

test('57014: a cancelled batch is halved and succeeds', async () => {
  await withRunningBackfill(async (running) => {
    const batch = await waitFor('a batch runs', async () => {
      const [row] = await running.sql<{ pid: number }[]>`select pid from pg_stat_activity
        where datname = current_database() and application_name like 'sti % backfill%' and state = 'active' and query like '%written%'`
      return row?.pid
    })
    await running.sql`select pg_cancel_backend(${batch})`
    const { progress } = await expectRight(running)
    expect(progress!.retries['57014']).toBe(1)
  }, 0.2)
})

test('55P03: the backfill retries with its lock timeout while another session locks a row', async () => {
  const holder = holdTransaction()
  await withRunningBackfill(
    async (running) => {
      await waitFor(
        'it has timed out',
        async () => (await readOperation(running.agent, running.id)).progress?.retries['55P03'],
      )
      // The rows of the batch are unlocked while it waits for the retry.
      await holder.end()
      await expectRight(running)
    },
    0,
    (url) => holder.begin(url, 'select from public.vehicles where id = 1999 for update'),
  )
})

test('40P01: a batch is retried after a deadlock with the application', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 200)
    await sql.unsafe(`alter database ${new URL(url).pathname.slice(1)} set deadlock_timeout = '700ms'`)
    await withAgent(
      url,
      VEHICLES_FILE,
      async (agent) => {
        await agent.run('expand')
        await withSession(url, async (session) => {
          await session.unsafe(
            `set deadlock_timeout = '60s'; begin; update public.vehicles set name = name where id = 200`,
          )
          // A batch waits for a lock for half of its time, so it must be longer than deadlock_timeout.
          const { id } = await agent.request('backfill', { batchSize: 200, maximumBatchSeconds: 5 })
          await waitForEngineLockWait(sql, 'backfill')
          await session.unsafe('update public.vehicles set name = name where id = 1')
          await session.unsafe('commit')
          const operation = await agent.waitForEnd(id)
          // The trigger has written the two rows that the session changed.
          expect(operation).toMatchObject({ state: 'succeeded', result: { writtenRows: 198 } })
          expect(operation.progress!.retries['40P01']).toBeGreaterThan(0)
        })
        expect(await countWrongRows(sql)).toBe(0)
      },
      QUIET_LOG,
    )
  })
})

test('23514: rows that break a constraint of the application are failed rows', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 500)
    await sql`update public.vehicles set axles = -1 where id in (150, 151)`
    await sql`alter table public.vehicles add constraint some_axles check (axles > 0) not valid`
    await withAgent(
      url,
      `${VEHICLES_FILE}errorBudget: 1\n`,
      async (agent) => {
        await agent.run('expand')
        expect((await agent.run('backfill')).result).toMatchObject({ failedRows: 2, writtenRows: 498 })
        const rows = (await readFailedRows(agent)).map((row) => [row.key[0], row.sqlstate])
        expect(rows).toEqual([
          ['150', '23514'],
          ['151', '23514'],
        ])
      },
      QUIET_LOG,
    )
  })
})

test.each(['53100', '58030', 'XX000'])(
  '%s: the backfill pauses with the reason and resumes after the fix',
  async (sqlstate) => {
    await withRunningBackfill(async (running) => {
      const { sql, agent, id, ended } = running
      await raiseOnUpdate(sql, sqlstate)
      expect(await ended()).toMatchObject({
        state: 'paused',
        error: `as if (${sqlstate}). Fix the cause, then resume.`,
      })
      await raiseOnUpdate(sql, sqlstate, 'false')
      await controlOperation(agent, id, 'resume')
      await waitFor('it resumes', async () => (await readOperation(agent, id)).state !== 'paused')
      await expectRight(running)
    })
  },
)

test('25006: a connection to a read-only server is replaced', async () => {
  await withTestLane(100, async ({ sql, engine, walked, lane, batch }) => {
    // As if the server that the open connection leads to had become a standby; a new connection finds the primary.
    const [open] = await engine<{ pid: number }[]>`select pg_backend_pid() as pid`
    await sql.unsafe(`create function public.demoted() returns trigger language plpgsql as $$
      begin
        if pg_backend_pid() = ${open!.pid} then
          raise exception 'cannot execute UPDATE in a read-only transaction' using errcode = '25006';
        end if;
        return new;
      end $$;
      create trigger demoted before update on public.vehicles for each row execute function public.demoted()`)
    const met: string[] = []
    const finished = await walkRanges({
      sql: engine,
      target: walked,
      from: null,
      to: null,
      sizeController: createBatchSizeController(100, 100, 1),
      lockWaits: null,
      mayContinue: () => Promise.resolve(true),
      processCountedRange: async (range) => void (await batch(lane, 0, Number(range.high[0]))),
      handlePoisonRow: () => Promise.reject(new Error('no row is at fault')),
      onRetry(sqlstate) {
        met.push(sqlstate)
      },
    })
    const [replaced] = await engine<{ pid: number }[]>`select pg_backend_pid() as pid`
    expect(replaced!.pid).not.toBe(open!.pid)
    expect({ finished, met }).toMatchObject({ finished: true, met: expect.arrayContaining(['25006']) as string[] })
    expect(await countWrongRows(sql)).toBe(0)
  })
})

test.each([
  [
    '42501',
    `create or replace function public.slow() returns trigger language plpgsql as
    $$ begin raise exception 'as if' using errcode = '42501'; end $$`,
    /It was raised by the application, in PL\/pgSQL function slow\(\) .* GRANT what that function needs to the agent’s role/,
  ],
  ['42P01', 'drop table public.vehicles', /The table was dropped: restore it/],
  ['42703', 'alter table public.vehicles drop column is_truck cascade', /A column does not exist: restore it/],
])('%s fails the operation with advice', async (sqlstate, statement, sentence) => {
  await withRunningBackfill(async ({ sql, ended }) => {
    await sql.unsafe(statement)
    const operation = await ended()
    expect(operation).toMatchObject({ state: 'failed', errorCode: sqlstate })
    expect(operation.error).toMatch(sentence)
  })
})
