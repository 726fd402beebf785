import type postgres from 'postgres'
import { expect, test } from 'vitest'
import type { Operation, Readiness } from '../../agent/src/contract/index.ts'
import { readEventMessages, QUIET_LOG, requestRefused, controlOperation } from '../support/operations.ts'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withSti } from '../support/stiCommand.ts'
import { withDatabase } from '../support/database.ts'
import { VEHICLES_FILE, createVehicles } from '../support/vehicles.ts'
import { waitFor } from '../support/waitFor.ts'

/** Everything that a rehearsal could leave behind besides its operation and events. */
async function findLeftovers(sql: postgres.Sql): Promise<string[]> {
  const rows = await sql<{ what: string }[]>`
    select 'schema ' || nspname as what from pg_namespace where nspname like 'sti\\_rehearsal%'
    union all select 'function ' || proname from pg_proc where proname like 'derive\\_~%'
    union all select 'sequence ' || sequencename from pg_sequences where sequencename like '%~rehearsal%'
    union all select 'change ' || kind from sti.change where rollout like '~%'
    union all select 'archive ' || rollout from sti.archived_type where rollout like '~%'
    union all select 'origin ' || rollout from sti.table_origin where rollout like '~%'
    union all select 'lane ' || number from sti.lane l join sti.operation o on o.id = l.operation_id where o.kind = 'rehearsal'`
  return rows.map(({ what }) => what)
}

/** Rows and catalog entries of the real table. */
async function readTableImage(sql: postgres.Sql): Promise<unknown> {
  const [row] = await sql`
    select (select md5(string_agg(v::text, ',' order by id)) from public.vehicles v) as rows,
      (select relfilenode from pg_class where oid = 'public.vehicles'::regclass) as filenode,
      (select count(*)::int from pg_trigger where tgrelid = 'public.vehicles'::regclass) as triggers,
      (select count(*)::int from pg_index where indrelid = 'public.vehicles'::regclass) as indexes,
      (select count(*)::int from pg_attribute where attrelid = 'public.vehicles'::regclass) as columns,
      (select n_tup_ins + n_tup_upd + n_tup_del from pg_stat_user_tables where relid = 'public.vehicles'::regclass) as written`
  return row
}

const readRollbackReadiness = async (agent: TestAgent) =>
  (await agent.get<Readiness>('/v1/rollouts/vehicles/readiness')).items.find(({ item }) => item === 'rollbacks-tested')!

test('a rehearsal tests and times both rollbacks on a copy and changes nothing else', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 30_000)
    await sql.unsafe(`create table public.audit (id bigint);
      create function public.audited() returns trigger language plpgsql as $$ begin insert into public.audit values (new.id); return null; end $$;
      create trigger audited after insert or update on public.vehicles for each row execute function public.audited()`)
    const file = `${VEHICLES_FILE}triggers: { audited: harmless }\nprefill: majority\nrehearsal: { sample: 5000 }\n`
    await withAgent(
      url,
      file,
      async (agent) => {
        expect(await readRollbackReadiness(agent)).toMatchObject({
          state: 'not-ready',
          sentence: expect.stringMatching(/No rollback has been rehearsed/),
        })
        expect((await agent.preview('rollback', { scope: 'data', confirm: 'vehicles' })).estimatedSeconds).toBeNull()
        // PostgreSQL counts writes with a delay.
        await waitFor(
          'the rows are counted',
          async () => ((await readTableImage(sql)) as { written: string }).written === '30000',
        )
        const before = await readTableImage(sql)
        const first = await agent.run('rehearsal')
        expect(first.result).toMatchObject({ tableRows: 30_000, scopes: [{ scope: 'data' }, { scope: 'system' }] })
        expect(Number(first.result?.['sampleRows'])).toBeGreaterThan(3_000)
        expect(Number(first.result?.['sampleRows'])).toBeLessThan(8_000)
        expect(first.result?.['notes']).toContainEqual(expect.stringMatching(/Triggers .* not copied.*: audited\.$/))
        expect((first.result?.['steps'] as { step: string }[]).map(({ step }) => step)).toEqual([
          ...['copy', 'plan', 'expand for data', 'backfill for data', 'rollback data', 'compare data'],
          ...['expand for system', 'backfill for system', 'finalize', 'rollback system', 'compare system'],
        ])
        expect(await readTableImage(sql)).toEqual(before)
        expect(await sql`select * from public.audit`).toEqual([])
        expect(await findLeftovers(sql)).toEqual([])
        const detail = await agent.rollout()
        expect(detail.stage).toBe('new')
        expect(detail.rehearsal).toMatchObject({
          operationId: first.id,
          counts: true,
          why: null,
          dueAt: null,
        })
        const data = detail.rollbackReady.find(({ scope }) => scope === 'data')!
        expect(data).toMatchObject({
          verifiedAt: first.endedAt,
          estimateBasis: expect.stringMatching(/^rehearsal 1 \([\d,]+ rows in /),
        })
        expect(await readRollbackReadiness(agent)).toMatchObject({
          state: 'ready',
          sentence: expect.stringMatching(/^Rehearsal 1 rolled back data and system/),
        })
        await waitFor('its series', async () =>
          /sti_rehearsal_success_timestamp_seconds\{[^}]*\} 1\d+/.test(
            await (await fetch(`${agent.url}/metrics`)).text(),
          ),
        )
        // With all objects created by STI on the table.
        for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await agent.run(kind)
        await withSti(async (sti) => {
          const answer = await sti(agent.url, 'rehearse', '--sample', '100000')
          expect(answer).toMatchObject({ code: 0, err: expect.stringMatching(/ of 11 steps/) })
          expect(answer.out).toMatch(/rollback system, .*: 7 changes reverted/)
          expect(answer.out).toMatch(/data: about .* for the whole table \(30,000 rows\)/)
        })
        expect(await findLeftovers(sql)).toEqual([])
        expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass', coverage: 1 })
        expect((await agent.preview('rollback', { scope: 'system', confirm: 'vehicles' })).estimateBasis).toMatch(
          /^rehearsal 6 \(30,000 rows in /,
        )
        // A failed rehearsal also postpones the next one, both in the status and in the schedule.
        const dropped = await agent.request('rehearsal')
        await controlOperation(agent, dropped.id, 'cancel')
        await waitFor('it ends', async () => (await agent.get<Operation>(`/v1/operations/${dropped.id}`)).endedAt)
        const due = Date.parse(dropped.createdAt) + 7 * 86_400_000
        expect((await agent.rollout()).rehearsal).toMatchObject({ counts: true, dueAt: new Date(due).toISOString() })
        const changed = { counts: false, why: expect.stringMatching(/structure of the table has changed/) }
        const audited = (what: string): string =>
          `create or replace function public.audited() returns trigger language plpgsql as $$ begin ${what} return null; end $$`
        for (const [change, back] of [
          ['add constraint positive check (axles > 0) not valid', 'drop constraint positive'],
          ['add foreign key (id) references public.vehicles not valid', 'drop constraint vehicles_id_fkey'],
          ['disable trigger audited', 'enable trigger audited'],
        ] as const) {
          await sql.unsafe(`alter table public.vehicles ${change}`)
          expect((await agent.rollout()).rehearsal, change).toMatchObject(changed)
          await sql.unsafe(`alter table public.vehicles ${back}`)
          expect((await agent.rollout()).rehearsal, back).toMatchObject({ counts: true })
        }
        await sql.unsafe(audited('raise notice $a$another$a$;'))
        expect((await agent.rollout()).rehearsal).toMatchObject(changed)
        await sql.unsafe(audited('insert into public.audit values (new.id);'))
        expect((await agent.rollout()).rehearsal).toMatchObject({ counts: true })
        await sql`alter table public.vehicles add column colour text`
        expect((await agent.rollout()).rehearsal).toMatchObject(changed)
        expect(await readRollbackReadiness(agent)).toMatchObject({ state: 'not-ready' })
      },
      QUIET_LOG,
    )
  })
})

test('a paused rehearsal leaves nothing and restarts; a cancelled one leaves nothing; rehearsals start automatically at their interval', async () => {
  await withDatabase(async ({ url, sql }) => {
    await createVehicles(sql, 60_000)
    await withAgent(
      url,
      `${VEHICLES_FILE}rehearsal: { every: 5s, sample: 60000 }\n`,
      async (agent) => {
        const running = async (id: number, step: RegExp): Promise<void> => {
          await waitFor(String(step), async () =>
            step.test((await agent.get<Operation>(`/v1/operations/${id}`)).step ?? ''),
          )
        }
        const { id } = await agent.request('rehearsal')
        expect(await requestRefused(agent, 'rehearsal')).toMatch(/Rehearsal 1 is (queued|running)\. Wait for it/)
        await running(id, /backfill/)
        await controlOperation(agent, id, 'pause')
        expect((await agent.waitForEnd(id)).state).toBe('paused')
        expect(await findLeftovers(sql)).toEqual([])
        await controlOperation(agent, id, 'resume')
        await waitFor(
          'it resumes',
          async () => (await agent.get<Operation>(`/v1/operations/${id}`)).state === 'running',
        )
        await running(id, /backfill/)
        await controlOperation(agent, id, 'cancel')
        await waitFor('it ends', async () => (await agent.get<Operation>(`/v1/operations/${id}`)).state === 'cancelled')
        expect(await findLeftovers(sql)).toEqual([])
        expect(await readEventMessages(agent, id)).toContain('Paused at a safe point.')
        await agent.run('expand')
        const scheduled = await waitFor('an automatic rehearsal', async () => {
          const { operations } = await agent.get<{ operations: Operation[] }>('/v1/operations')
          return operations.find(
            (operation) => operation.kind === 'rehearsal' && operation.reason === 'scheduled every 5 s',
          )
        })
        expect((await agent.waitForEnd(scheduled.id)).state).toBe('succeeded')
      },
      QUIET_LOG,
    )
  })
})

const PARTITIONED = `
  create table public.vehicles (id bigint generated always as identity, region text not null default 'north', name text not null,
    is_truck boolean not null, is_bike boolean not null, axles integer, doubled bigint generated always as (axles * 2) stored,
    primary key (region, id)) partition by list (region);
  create table public.vehicles_north partition of public.vehicles for values in ('north');
  create table public.vehicles_south partition of public.vehicles for values in ('south');
  insert into public.vehicles (region, name, is_truck, is_bike, axles)
    select case n % 2 when 0 then 'north' else 'south' end, 'vehicle ' || n, n % 3 = 0, n % 3 = 1, 2 from generate_series(1, 3000) n;
  analyze public.vehicles`

test.each([
  [
    'an existing column that is NOT NULL after finalize',
    'constraint: notNull\n',
    'alter table public.vehicles add column type text',
  ],
  ['partitions and a generated column', '', PARTITIONED],
  ['a publication FOR ALL TABLES', 'publication: subscriber-ready\n', 'create publication everything for all tables'],
])('a table with %s is rehearsed before expand and after finalize', async (_, file, shape) => {
  await withDatabase(async ({ url, sql }) => {
    if (shape === PARTITIONED) await sql`create extension if not exists pg_stat_statements`
    else await createVehicles(sql, 3_000)
    await sql.unsafe(shape)
    await withAgent(
      url,
      `${VEHICLES_FILE}${file}`,
      async (agent) => {
        expect((await agent.run('rehearsal')).result).toMatchObject({ sampleRows: 3_000 })
        for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await agent.run(kind)
        expect((await agent.run('rehearsal')).result).toMatchObject({ sampleRows: 3_000 })
        expect(await findLeftovers(sql)).toEqual([])
      },
      QUIET_LOG,
    )
  })
})
