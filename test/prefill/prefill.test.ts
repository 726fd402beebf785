import type postgres from 'postgres'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { OperationEvent } from '../../agent/src/contract/index.ts'
import { TOKENS, withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { QUIET_LOG, requestRefused } from '../support/operations.ts'

const PREFILLED = `${VEHICLES_FILE}prefill: majority\n`
const EXPECTED = `case when is_truck then 'Truck' when is_bike then 'Bike' else 'Car' end`
const DATA_ROLLBACK = { scope: 'data', confirm: 'vehicles' }

interface PrefillTest {
  readonly url: string
  readonly sql: postgres.Sql
  readonly agent: TestAgent
}

/** 60% of the vehicles are cars, 30% trucks, 10% bikes. */
async function withVehicles(
  rows: number,
  file: string,
  use: (environment: PrefillTest) => Promise<void>,
  before = '',
): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, rows)
    await sql.unsafe(before)
    await withAgent(url, file, (agent) => use({ url, sql, agent }), QUIET_LOG)
  })
}

async function countWrongRows(sql: postgres.Sql, expected = EXPECTED): Promise<number> {
  const [row] = await sql.unsafe<{ n: number }[]>(
    `select count(*)::int as n from public.vehicles where type is distinct from ${expected}`,
  )
  return row!.n
}

async function file(sql: postgres.Sql): Promise<string> {
  const rows = await sql<{ file: string }[]>`
    select string_agg(relid::regclass || ' ' || coalesce(pg_relation_filenode(relid)::text, '-'), ', ' order by relid) as file
    from (select 'public.vehicles'::regclass as relid union select relid from pg_partition_tree('public.vehicles')) as tree`
  return rows[0]!.file
}

async function fetchMetrics(agent: TestAgent): Promise<string> {
  // The readings are refreshed every two seconds.
  await sleep(2_500)
  const answer = await fetch(`${agent.url}/metrics`, { headers: { authorization: `Bearer ${TOKENS.viewer}` } })
  return await answer.text()
}

const defaults = (sql: postgres.Sql): Promise<postgres.RowList<postgres.Row[]>> => sql`
  select d.adrelid::regclass::text as on, a.attname from pg_attrdef d
  join pg_attribute a on a.attrelid = d.adrelid and a.attnum = d.adnum where a.attname = 'type'`

test('a prefill writes no row and does not count as coverage, and the backfill writes only rows that differ', async () => {
  await withVehicles(10_000, PREFILLED, async ({ sql, agent }) => {
    const before = await file(sql)
    const preview = await agent.preview('expand')
    expect(preview.notes.join('\n')).toMatch(/read as Car, the most common type \(60% of 10,000 rows\)/)
    expect(preview.statements[0]).toMatch(/add column "type" text default 'Car'::text;\n.* drop default$/)

    const expand = await agent.run('expand')
    expect(expand.result).toMatchObject({ prefill: { type: 'Car', share: 0.6, sampledRows: 10_000 } })
    const { events } = await agent.get<{ events: OperationEvent[] }>(`/v1/operations/${expand.id}/events`)
    expect(events.find((event) => event.kind === 'prefill')).toMatchObject({ after: { type: 'Car', share: 0.6 } })
    expect(await file(sql)).toBe(before)
    expect(await defaults(sql)).toEqual([])
    expect(await sql`select type, count(*)::int as n from public.vehicles group by 1`).toEqual([
      { type: 'Car', n: 10_000 },
    ])
    expect(
      await sql`select inverse, before->'prefill'->>'type' as constant from sti.change where kind = 'column'`,
    ).toEqual([{ inverse: 'alter table "public"."vehicles" drop column if exists "type"', constant: 'Car' }])

    expect(await agent.rollout()).toMatchObject({ stage: 'expanded', coverage: null })
    expect((await agent.rollout()).notes.join()).toMatch(/read as Car, whatever their type is: do not read type/)
    expect((await agent.run('validation')).result).toMatchObject({ verdict: 'fail', coverage: 0.6 })
    expect((await agent.rollout()).coverage).toBe(0.6)
    expect((await fetchMetrics(agent)).match(/^sti_coverage_ratio\{.*\} (.*)$/m)?.[1]).toBe('0.6')
    expect(await requestRefused(agent, 'finalize')).toMatch(/The backfill has not succeeded/)
    expect(await requestRefused(agent, 'flag', { enabled: true })).toMatch(/still read as Car: run the backfill/)
    expect(await requestRefused(agent, 'flag', { enabled: true, force: true })).toMatch(
      /still read as Car: run the backfill/,
    )

    expect((await agent.run('backfill')).result).toMatchObject({
      passedRows: 10_000,
      writtenRows: 4_000,
      failedRows: 0,
    })
    expect(await countWrongRows(sql)).toBe(0)
    expect((await agent.rollout()).notes.join()).not.toMatch(/read as Car/)
    expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass', coverage: 1 })
    await agent.run('finalize')
    await agent.run('flag', { enabled: true })
    await agent.run('rollback', DATA_ROLLBACK)
    expect(
      await sql`select 1 from pg_attribute where attrelid = 'public.vehicles'::regclass and attname = 'type'`,
    ).toEqual([])
  })
})

test('a column that is dropped manually and prefilled again is not covered by the earlier backfill', async () => {
  await withVehicles(1_000, PREFILLED, async ({ sql, agent }) => {
    for (const kind of ['expand', 'backfill', 'validation'] as const) await agent.run(kind)
    expect(await agent.rollout()).toMatchObject({ stage: 'verified', coverage: 1 })
    await sql`alter table public.vehicles drop column type cascade`
    expect((await agent.rollout()).coverage).toBe(null)
    await agent.run('expand')
    expect(await agent.rollout()).toMatchObject({ stage: 'expanded', coverage: null })
    expect(await requestRefused(agent, 'finalize')).toMatch(/The backfill has not succeeded/)
    expect(await requestRefused(agent, 'flag', { enabled: true })).toMatch(/Coverage is not complete/)
    await agent.run('backfill')
    expect((await agent.rollout()).stage).toBe('covered')
    expect(await countWrongRows(sql)).toBe(0)
  })
})

test('a rollback of a prefilled table archives no prefilled value, and the next rollout starts at zero', async () => {
  await withVehicles(1_000, PREFILLED, async ({ sql, agent }) => {
    const legacy = await sql`select * from public.vehicles order by id`
    for (const kind of ['expand', 'backfill', 'validation'] as const) await agent.run(kind)
    await agent.run('rollback', DATA_ROLLBACK)
    expect((await agent.rollout()).coverage).toBe(null)
    await agent.run('expand')
    expect(await agent.rollout()).toMatchObject({ coverage: null })
    expect((await agent.preview('rollback', DATA_ROLLBACK)).notes.join('\n')).toMatch(
      /hold Car, the constant .* not archived/,
    )
    expect((await agent.run('rollback', DATA_ROLLBACK)).result).toMatchObject({ archivedValues: 0, clearedRows: 0 })
    expect(await sql`select * from public.vehicles order by id`).toEqual(legacy)
    const preview = await agent.preview('rollback', DATA_ROLLBACK)
    expect(preview.reasons).toEqual(['There is nothing to roll back.'])
    expect(preview).toMatchObject({ rows: 0, statements: [] })
    expect(preview.notes.join('\n')).toMatch(/Column "type" does not exist/)
    expect(preview.notes.join('\n')).not.toMatch(/Clears|Drops/)
  })
})

test('with concurrent writers no insert sees the constant, and every row is correct at the end', async () => {
  // Fires before the dual-write trigger, so it sees the default that an INSERT without a type gets.
  const watch = `create table public.seen (type text, there boolean);
    create function public.watch() returns trigger language plpgsql as $$ begin
      insert into public.seen values (to_jsonb(new)->>'type', to_jsonb(new) ? 'type'); return new; end $$;
    create trigger watch before insert on public.vehicles for each row execute function public.watch()`
  await withVehicles(
    20_000,
    `${PREFILLED}constraint: notNull\n`,
    async ({ sql, agent }) => {
      let writing = true
      let failures = 0
      const write = async (seed: number): Promise<void> => {
        for (let n = seed; writing; n += 4) {
          const id = 1 + ((n * 7919) % 20_000)
          try {
            await sql`insert into public.vehicles (name, is_truck, is_bike) values ('new', ${n % 3 === 0}, ${n % 3 === 1})`
            await sql`update public.vehicles set is_truck = not is_truck where id = ${id}`
            await sql`update public.vehicles set name = name || '.' where id = ${id + 1}`
            if (n % 5 === 0) await sql`delete from public.vehicles where id = ${id + 2}`
          } catch (error) {
            // A prepared statement fails once on the new column; the driver prepares it again.
            if (!/cached plan must not change result type/.test(String(error))) failures++
          }
        }
      }
      const writers = [0, 1, 2, 3].map(write)
      await sleep(200)
      const expand = await agent.run('expand')
      expect(expand.result).toMatchObject({ prefill: { type: 'Car' } })
      await sleep(500)
      const changed = await sql<{ id: string }[]>`
        update public.vehicles set is_truck = not is_truck where id % 10 = 3 returning id::text`
      await agent.run('backfill')
      writing = false
      await Promise.all(writers)
      expect(failures).toBe(0)
      expect(changed.length).toBeGreaterThan(500)
      expect(await countWrongRows(sql)).toBe(0)
      const seen = await sql<{ there: boolean; n: number }[]>`
        select there, count(*)::int as n from public.seen where type is null group by 1 order by 1`
      expect(seen.map((row) => row.there)).toEqual([false, true])
      expect(await sql`select * from public.seen where type is not null`).toEqual([])
      expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass', coverage: 1 })
      await agent.run('finalize')
      expect(
        await sql`select attnotnull from pg_attribute where attrelid = 'public.vehicles'::regclass and attname = 'type'`,
      ).toEqual([{ attnotnull: true }])
    },
    watch,
  )
})

test('partitions keep no default, are not rewritten, and return the constant', async () => {
  const parted = `drop table public.vehicles;
    create table public.vehicles (id int, is_truck boolean not null, is_bike boolean not null, primary key (id)) partition by range (id);
    create table public.first partition of public.vehicles for values from (0) to (500);
    create table public.second partition of public.vehicles for values from (500) to (2000) partition by range (id);
    create table public.third partition of public.second for values from (500) to (2000);
    insert into public.vehicles select n, n % 10 < 3, n % 10 = 5 from generate_series(1, 1000) n; analyze`
  await withVehicles(
    10,
    PREFILLED,
    async ({ sql, agent }) => {
      const before = await file(sql)
      await agent.run('expand')
      expect(await file(sql)).toBe(before)
      expect(await defaults(sql)).toEqual([])
      expect(await sql`select distinct type from public.vehicles`).toEqual([{ type: 'Car' }])
      expect(await sql`insert into public.third values (1500, true, false) returning type`).toEqual([{ type: 'Truck' }])
      expect((await agent.run('backfill')).result).toMatchObject({ passedRows: 1_001, writtenRows: 400 })
      expect(await countWrongRows(sql)).toBe(0)
    },
    parted,
  )
})

test('unmapped rows and rows whose expression raises an error have the constant until the backfill handles them', async () => {
  const unmapped = `rollout: vehicles
table: public.vehicles
types:
  - { name: Rare, when: 10 / axles = 10, restore: { axles: "1" } }
  - { name: Two, when: axles = 2, restore: { axles: "2" } }
legacyColumns: [axles]
errorBudget: 1
flag: { key: vehicles-sti }
validation: { requires: [integrity] }
prefill: majority
`
  await withVehicles(
    300,
    unmapped,
    async ({ sql, agent }) => {
      const expand = await agent.run('expand')
      // A third of 300 rows has 2 axles. Five rows raise a division by zero without affecting the others.
      expect(expand.result).toMatchObject({ prefill: { type: 'Two', sampledRows: 300 } })
      expect((await agent.run('validation')).result).toMatchObject({ verdict: 'fail', coverage: 0.333333 })
      const backfill = await agent.run('backfill')
      expect(backfill.result).toMatchObject({ passedRows: 300 })
      expect(await sql`select type, axles, count(*)::int as n from public.vehicles group by 1, 2 order by 2`).toEqual([
        // The type cannot be derived, so the row is a failed row.
        { type: 'Two', axles: 0, n: 5 },
        { type: 'Two', axles: 2, n: 100 },
        { type: null, axles: 3, n: 95 },
        { type: null, axles: 4, n: 100 },
      ])
      expect((await agent.run('validation')).result).toMatchObject({ verdict: 'fail', coverage: 0.333333 })
      expect(await requestRefused(agent, 'flag', { enabled: true })).toMatch(/200 failed rows/)
    },
    `update public.vehicles set axles = 0 where id in (select id from public.vehicles where axles = 3 order by id limit 5)`,
  )
})

test.each([
  ['app.kind', `create schema app; create type app.kind as enum ('Bike', 'Car', 'Truck')`],
  ['app.name', `create schema app; create domain app.name as varchar(9)`],
  ['varchar(5)', ''],
])('a constant of type %s is stored in the catalog too', async (dataType, before) => {
  const typed = PREFILLED.replace('dataType: text', `dataType: "${dataType}"`)
  await withVehicles(
    1_000,
    typed,
    async ({ sql, agent }) => {
      const there = await file(sql)
      await agent.run('expand')
      expect(await file(sql)).toBe(there)
      expect((await agent.run('backfill')).result).toMatchObject({ writtenRows: 400 })
      expect(await countWrongRows(sql, `(${EXPECTED})::${dataType}`)).toBe(0)
    },
    before,
  )
})

test('a prefill is refused while an application can read by type, even if the file requires it', async () => {
  await withVehicles(100, PREFILLED, async ({ sql, agent }) => {
    for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await agent.run(kind)
    await agent.run('flag', { enabled: true })
    await sql`alter table public.vehicles drop column type cascade`
    expect(await requestRefused(agent, 'expand')).toMatch(/The flag is on\. Turn it off before the column is prefilled/)
    await agent.run('rollback', { scope: 'flag' })
    await agent.run('expand')
    expect((await agent.rollout()).stage).not.toBe('finalized')
  })
})

test('a prefill is skipped if it saves nothing or if the column exists', async () => {
  await withVehicles(0, PREFILLED, async ({ sql, agent }) => {
    expect((await agent.run('expand')).result).toMatchObject({ prefill: null })
    expect(
      await sql`insert into public.vehicles (name, is_truck, is_bike) values ('x', true, false) returning type`,
    ).toEqual([{ type: 'Truck' }])
  })
  await withVehicles(
    100,
    PREFILLED,
    async ({ sql, agent }) => {
      expect((await agent.run('expand')).result).toMatchObject({ prefill: null })
      expect(await sql`select distinct type from public.vehicles`).toEqual([{ type: null }])
    },
    'alter table public.vehicles add column type text',
  )
})

test('a changed file does not prefill again', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 1_000)
    await withAgent(url, PREFILLED, (agent) => agent.run('expand'), QUIET_LOG)
    const renamed = PREFILLED.replace('name: Car', 'name: Automobile')
    await withAgent(
      url,
      renamed,
      async (agent) => {
        expect((await agent.run('expand')).result).toMatchObject({ prefill: null })
        expect(await sql`select distinct type from public.vehicles`).toEqual([{ type: 'Car' }])
        expect((await agent.rollout()).notes.join()).toMatch(/read as Car, whatever their type is/)
        expect(await requestRefused(agent, 'flag', { enabled: true, force: true })).toMatch(/still read as Car/)
        expect((await agent.run('validation')).result).toMatchObject({ verdict: 'fail', coverage: 0 })
        expect((await agent.run('backfill')).result).toMatchObject({ writtenRows: 1_000 })
        expect(await countWrongRows(sql, EXPECTED.replace('Car', 'Automobile'))).toBe(0)
      },
      QUIET_LOG,
    )
  })
})

test('the sample of a large table reads a few pages and is close to the actual shares', async () => {
  await withVehicles(
    1,
    PREFILLED,
    async ({ agent }) => {
      const { result } = await agent.run('expand')
      const { prefill } = result as { prefill: { type: string; share: number; sampledRows: number } }
      expect(prefill.type).toBe('Car')
      expect(prefill.sampledRows).toBeLessThan(300_000)
      expect(prefill.sampledRows).toBeGreaterThan(50_000)
      expect(prefill.share).toBeGreaterThan(0.52)
      expect(prefill.share).toBeLessThan(0.68)
    },
    // Trucks are adjacent, like rows that were written together.
    `insert into public.vehicles (name, is_truck, is_bike) select 'v', n < 120000, n between 120000 and 160000 from generate_series(1, 400000) n;
     analyze public.vehicles`,
  )
})
