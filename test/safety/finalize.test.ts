import type postgres from 'postgres'
import { expect, test } from 'vitest'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import {
  readEventMessages,
  readOperation,
  QUIET_LOG,
  requestRefused,
  runToFailure,
  controlOperation,
} from '../support/operations.ts'
import { engineBackendPids, withSession } from '../support/faultInjection.ts'
import { waitFor } from '../support/waitFor.ts'

async function withVerifiedRollout(
  file: string,
  use: (environment: { url: string; sql: postgres.Sql; agent: TestAgent }) => Promise<void>,
): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 500)
    await withAgent(
      url,
      file,
      async (agent) => {
        await agent.run('expand')
        await agent.run('backfill')
        await agent.run('validation')
        await use({ url, sql, agent })
      },
      QUIET_LOG,
    )
  })
}

const TYPE_INDEX = 'public.sti_vehicles_type_idx'

async function indexValid(sql: postgres.Sql): Promise<boolean | null> {
  const [row] = await sql<{ valid: boolean }[]>`
    select indisvalid as valid from pg_index where indexrelid = to_regclass(${TYPE_INDEX})`
  return row?.valid ?? null
}

/** Running the journal's inverses in reverse order must restore the table. */
async function journal(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ text: string }[]>`
    select kind || ' ' || object || case when confirmed_at is null then ' unconfirmed' else '' end as text
    from sti.change where reverted_at is null order by id`
  return rows.map((row) => row.text)
}

test('after expand and finalize, the journal matches the catalog, and the column has statistics and an index', async () => {
  await withVerifiedRollout(VEHICLES_FILE, async ({ sql, agent }) => {
    const expanded = [
      'column "public"."vehicles"."type"',
      'function sti."derive_vehicles"',
      'trigger ~sti_derive on "public"."vehicles"',
      'trigger ~sti_complete on "public"."vehicles"',
    ]
    expect(await journal(sql)).toEqual(expanded)
    // Autovacuum could gather the statistics at the same time.
    await sql`alter table public.vehicles set (autovacuum_enabled = off)`
    await sql`delete from pg_statistic where starelid = 'public.vehicles'::regclass`
    expect(await requestRefused(agent, 'flag', { enabled: true })).toMatch(
      /missing: the index sti_vehicles_type_idx, the constraint sti_vehicles_type_check, the statistics/,
    )
    await agent.run('finalize')
    expect(await journal(sql)).toEqual([
      ...expanded,
      'index "public"."sti_vehicles_type_idx"',
      'constraint "sti_vehicles_type_check" on "public"."vehicles"',
      'restore sti."derive_vehicles" both ways',
    ])
    expect(await indexValid(sql)).toBe(true)
    await sql`insert into public.vehicles (name, is_truck, is_bike) select 'car', false, false from generate_series(1, 20000)`
    await sql`analyze public.vehicles`
    const plan = await sql.unsafe(`explain select * from public.vehicles where type = 'Bike'`)
    expect(JSON.stringify(plan)).toMatch(/sti_vehicles_type_idx/)
    await expect(
      sql.unsafe(`alter table public.vehicles disable trigger "~sti_derive"; update public.vehicles set type = 'Boat'`),
    ).rejects.toThrow(/violates check constraint "sti_vehicles_type_check"/)
  })
})

test('an index build that is killed leaves an INVALID index; the next attempt drops it, rebuilds it, and journals it once', async () => {
  await withVerifiedRollout(VEHICLES_FILE, async ({ url, sql, agent }) => {
    await withSession(url, async (session) => {
      // CONCURRENTLY waits for every older transaction.
      await session.unsafe('begin; update public.vehicles set name = name where id = 1')
      const { id } = await agent.request('finalize')
      await waitFor('the index is being built', async () => (await indexValid(sql)) === false)
      const said = await waitFor('it names the sessions that it waits for', async () =>
        (await readEventMessages(agent, id)).find((message) =>
          /^creating index sti_vehicles_type_idx: waiting for/.test(message),
        ),
      )
      const [pid] = await session<{ pid: number }[]>`select pg_backend_pid() as pid`
      expect(said).toMatch(
        new RegExp(
          `pid ${pid!.pid} \\(postgres, application somebody, idle in transaction, transaction [^,]* old, last statement: [^)]*\\)`,
        ),
      )
      for (const backend of await engineBackendPids(sql, 'finalize')) await sql`select pg_terminate_backend(${backend})`
      await session.unsafe('commit')
      expect(await agent.waitForEnd(id)).toMatchObject({ state: 'succeeded' })
      expect((await readEventMessages(agent, id)).join()).toMatch(/INVALID because an earlier attempt was interrupted/)
    })
    expect(await indexValid(sql)).toBe(true)
    expect((await journal(sql)).filter((text) => text.includes('idx'))).toEqual([
      'index "public"."sti_vehicles_type_idx"',
    ])
  })
})

test('an index build that waits can be paused, and continues when it is resumed', async () => {
  await withVerifiedRollout(VEHICLES_FILE, async ({ url, sql, agent }) => {
    const { id } = await withSession(url, async (session) => {
      await session.unsafe('begin; update public.vehicles set name = name where id = 1')
      const operation = await agent.request('finalize')
      await waitFor('the index is being built', async () => (await indexValid(sql)) === false)
      await controlOperation(agent, operation.id, 'pause')
      expect((await agent.waitForEnd(operation.id)).state).toBe('paused')
      return operation
    })
    await controlOperation(agent, id, 'resume')
    await waitFor('it resumes', async () => (await readOperation(agent, id)).state === 'succeeded')
    expect(await indexValid(sql)).toBe(true)
  })
})

test('NOT NULL is set if the file requires it, and writes without a type still get one', async () => {
  await withVerifiedRollout(`${VEHICLES_FILE}constraint: notNull\n`, async ({ sql, agent }) => {
    await agent.run('finalize')
    const [column] =
      await sql`select attnotnull from pg_attribute where attrelid = 'public.vehicles'::regclass and attname = 'type'`
    expect(column!.attnotnull).toBe(true)
    const rows =
      await sql`insert into public.vehicles (name, is_truck, is_bike) values ('x', false, false) returning type`
    expect(rows).toEqual([{ type: 'Car' }])
  })
})

test('a row that became wrong after the validation fails finalize with advice', async () => {
  await withVerifiedRollout(VEHICLES_FILE, async ({ sql, agent }) => {
    await sql.unsafe(`alter table public.vehicles disable trigger "~sti_derive"; update public.vehicles set type = 'Boat' where id = 3;
      alter table public.vehicles enable always trigger "~sti_derive"`)
    expect(await runToFailure(agent, 'finalize')).toMatchObject({
      errorCode: 'finalize',
      error: expect.stringMatching(/^A row violates the constraint: .* Run a validation to find it\.$/) as string,
    })
  })
})

test('a partitioned table gets its index without blocking writes', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(`
      create schema "Old"; create extension pg_stat_statements;
      create table public.vehicles (id int primary key, is_truck boolean not null, is_bike boolean not null) partition by range (id);
      create table public.small partition of public.vehicles for values from (0) to (100);
      create table "Old"."Large One" partition of public.vehicles for values from (100) to (200);
      insert into public.vehicles select n, n % 2 = 0, false from generate_series(1, 199) n; analyze`)
    await withAgent(
      url,
      VEHICLES_FILE,
      async (agent) => {
        await agent.run('expand')
        await agent.run('backfill')
        await agent.run('validation')
        await withSession(url, async (session) => {
          await session.unsafe('begin; update public.vehicles set is_bike = is_bike where id = 150')
          const { id } = await agent.request('finalize')
          await waitFor('it waits', async () =>
            (await readEventMessages(agent, id)).find((message) => /waiting for .*pid/.test(message)),
          )
          await withSession(url, async (other) => {
            await other.unsafe(
              `set statement_timeout = '500ms'; update public.vehicles set is_bike = is_bike where id in (5, 160)`,
            )
          })
          await session.unsafe('commit')
          expect((await agent.waitForEnd(id)).state).toBe('succeeded')
        })
        const indexes = await sql`select indexrelid::regclass::text as name, indisvalid as valid from pg_index
          where indexrelid::regclass::text ~ 'sti_' order by 1`
        expect(indexes.map((row) => row['valid'] as boolean)).toEqual([true, true, true])
        await agent.run('rollback', { scope: 'data', confirm: 'vehicles' })
        expect(await sql`select indexrelid from pg_index where indexrelid::regclass::text ~ 'sti_'`).toEqual([])
        expect(await journal(sql)).toEqual([])
      },
      QUIET_LOG,
    )
  })
})
