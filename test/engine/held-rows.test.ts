import { expect, test } from 'vitest'
import type postgres from 'postgres'
import type { Operation } from '../../agent/src/contract/index.ts'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { slowUpdates, withSession } from '../support/faultInjection.ts'
import { QUIET_LOG, readEventMessages, readFailedRows, readOperation } from '../support/operations.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { waitFor, waitForValue } from '../support/waitFor.ts'

const ROWS = 30_000
const HELD_ID = 1_000
const CLEARED_ROWS = 6_000

async function withExpandedVehicles(
  use: (parts: { url: string; sql: postgres.Sql; agent: TestAgent }) => Promise<void>,
): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, ROWS)
    await withAgent(
      url,
      VEHICLES_FILE,
      async (agent) => {
        await agent.run('expand')
        await use({ url, sql, agent })
      },
      QUIET_LOG,
    )
  })
}

async function countRowsWithoutType(sql: postgres.Sql): Promise<number> {
  const [row] = await sql<{ rows: number }[]>`select count(*)::int as rows from public.vehicles where type is null`
  return row!.rows
}

async function expectEveryRowRight(sql: postgres.Sql): Promise<void> {
  const [row] = await sql<
    { wrong: number }[]
  >`select count(*)::int as wrong from public.vehicles where type is distinct from
    case when is_truck then 'Truck' when is_bike then 'Bike' else 'Car' end`
  expect(row!.wrong).toBe(0)
}

/** Waits until the backfill waits only for held rows. */
async function waitForHold(
  agent: TestAgent,
  id: number,
): Promise<NonNullable<NonNullable<Operation['progress']>['held']>> {
  return await waitFor(
    'everything else is written, and the holder is known',
    async () => {
      const { state, error, progress } = await readOperation(agent, id)
      if (!['queued', 'running'].includes(state)) throw new Error(`the backfill is ${state}: ${error}`)
      return progress?.held?.waiting && progress.held.holders !== '' ? progress.held : undefined
    },
    { seconds: 30 },
  )
}

test.each([
  ['updated', `update public.vehicles set axles = 9 where id = ${HELD_ID}`, 'commit'],
  ['updated and rolled back', `update public.vehicles set is_truck = not is_truck where id = ${HELD_ID}`, 'rollback'],
  ['locked', `select from public.vehicles where id = ${HELD_ID} for update`, 'commit'],
  [
    'changed in its legacy columns',
    `update public.vehicles set is_truck = not is_truck, is_bike = false where id = ${HELD_ID}`,
    'commit',
  ],
  ['deleted', `delete from public.vehicles where id = ${HELD_ID}`, 'commit'],
  ['deleted and not', `delete from public.vehicles where id = ${HELD_ID}`, 'rollback'],
  ['moved to another key', `update public.vehicles set id = default where id = ${HELD_ID}`, 'commit'],
])(
  'a row that is being %s stops no other row, its holder is named, and the backfill completes automatically',
  async (_, hold, end) => {
    await withExpandedVehicles(async ({ url, sql, agent }) => {
      await withSession(url, async (session) => {
        await session.unsafe(`begin; ${hold}`)
        const [holder] = await session<{ pid: number }[]>`select pg_backend_pid() as pid`
        const { id } = await agent.request('backfill')
        const held = await waitForHold(agent, id)
        expect(held).toMatchObject({ rows: 1, keys: [[String(HELD_ID)]] })
        const named = new RegExp(
          `pid ${holder!.pid} \\(postgres, application somebody, idle in transaction, transaction .* old, last statement: `,
        )
        expect(held.holders).toMatch(named)
        expect(await countRowsWithoutType(sql)).toBe(1)
        const events = (await readEventMessages(agent, id)).filter((message) => /locked by/.test(message))
        expect(events[0]).toMatch(new RegExp(`^Row ${HELD_ID} is locked by ${named.source}`))
        expect(events.length).toBeLessThanOrEqual(2)
        const sample = new RegExp(`^sti_backfill_held_rows\\{[^\\n]*pid ${holder!.pid}[^\\n]* 1$`, 'm')
        await waitFor('the metric counts the row', async () =>
          sample.test(await (await fetch(`${agent.url}/metrics`)).text()),
        )
        expect((await agent.rollout()).running!.progress!.held).toMatchObject({ rows: 1 })
        await session.unsafe(end)
        expect(await agent.waitForEnd(id)).toMatchObject({ state: 'succeeded', progress: { held: null } })
      })
      await expectEveryRowRight(sql)
      expect(await readFailedRows(agent)).toEqual([])
    })
  },
)

test('many held rows of two transactions: all others are written, and both holders are named in turn', async () => {
  await withExpandedVehicles(async ({ url, sql, agent }) => {
    await withSession(url, async (first) => {
      await first.unsafe('begin; update public.vehicles set axles = 9 where id % 500 = 0')
      await withSession(url, async (second) => {
        await second.unsafe('begin; select from public.vehicles where id between 10001 and 10100 for update')
        const { id } = await agent.request('backfill', { workers: 2 })
        await waitFor('the other rows are written', async () => (await countRowsWithoutType(sql)) === 160, {
          seconds: 30,
        })
        await waitForHold(agent, id)
        await first.unsafe('commit')
        const [pid] = await second<{ pid: number }[]>`select pg_backend_pid() as pid`
        await waitFor('the second is named', async () => {
          const { progress } = await readOperation(agent, id)
          return progress?.held?.rows === 100 && progress.held.holders.includes(`pid ${pid!.pid}`)
        })
        await second.unsafe('commit')
        expect((await agent.waitForEnd(id)).state).toBe('succeeded')
      })
    })
    await expectEveryRowRight(sql)
  })
})

test('a prepared transaction is named, and a held backfill can be paused, resumed, and cancelled', async () => {
  await withExpandedVehicles(async ({ url, sql, agent }) => {
    await withSession(url, async (session) => {
      await session.unsafe(`begin; update public.vehicles set axles = 9 where id = ${HELD_ID}`)
      await session.unsafe(`prepare transaction 'left by a job'`)
    })
    const { id } = await agent.request('backfill')
    expect((await waitForHold(agent, id)).holders).toMatch(
      /^prepared transaction left by a job \(postgres, transaction .* old\): commit or roll it back$/,
    )
    await agent.post(`/v1/operations/${id}/pause`, {})
    expect((await agent.waitForEnd(id)).state).toBe('paused')
    await agent.post(`/v1/operations/${id}/resume`, {})
    await waitForHold(agent, id)
    await sql.unsafe(`rollback prepared 'left by a job'`)
    expect((await agent.waitForEnd(id)).state).toBe('succeeded')
    await expectEveryRowRight(sql)
  })
})

test('a lock on the whole table, and a lock in a trigger of the application, are named and waited for', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 2_000)
    await sql.unsafe(`create table public.counter (n int); insert into public.counter values (0);
      create function public.count_update() returns trigger language plpgsql as
        $$ begin update public.counter set n = n + 1; return null; end $$;
      create trigger counting after update on public.vehicles for each statement execute function public.count_update()`)
    await withAgent(
      url,
      `${VEHICLES_FILE}triggers: { counting: harmless }\n`,
      async (agent) => {
        await agent.run('expand')
        for (const lock of ['lock table public.vehicles in share mode', 'update public.counter set n = n'])
          await withSession(url, async (session) => {
            await sql`update public.vehicles set type = null where id % 7 = 0`
            await sql.unsafe('alter table public.vehicles disable trigger "~sti_derive"')
            await sql`update public.vehicles set type = null where id % 7 = 0`
            await sql.unsafe('alter table public.vehicles enable always trigger "~sti_derive"')
            await session.unsafe(`begin; ${lock}`)
            const [holder] = await session<{ pid: number }[]>`select pg_backend_pid() as pid`
            const { id } = await agent.request('backfill')
            await waitFor(`the holder is named (${lock})`, async () =>
              (await readOperation(agent, id)).progress?.held?.holders.includes(`pid ${holder!.pid}`),
            )
            await waitFor('an event names it', async () =>
              (await readEventMessages(agent, id))
                .join()
                .includes(`A batch waits for a lock held by pid ${holder!.pid}`),
            )
            await session.unsafe('commit')
            expect((await agent.waitForEnd(id)).state).toBe('succeeded')
            await expectEveryRowRight(sql)
          })
      },
      QUIET_LOG,
    )
  })
})

test('a held row does not stop the clearing of a column that existed before', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, CLEARED_ROWS)
    await sql`alter table public.vehicles add column type text`
    await slowUpdates(sql, 0)
    await withAgent(
      url,
      `${VEHICLES_FILE}triggers: { slow: harmless }\n`,
      async (agent) => {
        for (const kind of ['expand', 'backfill'] as const) await agent.run(kind)
        await slowUpdates(sql, 0.1)
        await withSession(url, async (session) => {
          const { id } = await agent.request('rollback', { scope: 'data', confirm: 'vehicles' })
          // Its DDL has its locks before the row is held.
          await waitFor('it clears', async () => (await countRowsWithoutType(sql)) > 0, { intervalMs: 10 })
          // The order of the batches depends on where the backfill has put the rows.
          await session`begin`
          const held = await session`
            select id from public.vehicles where type is not null order by ctid desc limit 1 for update skip locked`
          expect(held).toHaveLength(1)
          await waitFor(
            'the other rows are cleared',
            async () => (await countRowsWithoutType(sql)) === CLEARED_ROWS - 1,
            {
              seconds: 30,
            },
          )
          await waitForValue(
            async () => (await readOperation(agent, id)).step,
            (step) => /is locked by pid \d+/.test(step ?? ''),
            30,
          )
          await session.unsafe('commit')
          expect((await agent.waitForEnd(id)).state).toBe('succeeded')
        })
        expect(await countRowsWithoutType(sql)).toBe(CLEARED_ROWS)
      },
      QUIET_LOG,
    )
  })
})
