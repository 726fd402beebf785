import { expect, test } from 'vitest'
import { withAgentRole } from '../../../test/safety/agentRole.ts'
import { withDatabase } from '../../../test/support/database.ts'
import { connect } from '../database/connect.ts'
import { checkAgainstTable } from './checkAgainstTable.ts'
import { compileRollout } from './compileRollout.ts'
import { inspectTable } from './inspectTable.ts'
import { inspectPreparation, type Preparation } from './preparation.ts'

const FILE = {
  rollout: 'vehicles',
  table: 'public.vehicles',
  types: [
    { name: 'Truck', when: 'is_truck', restore: { is_truck: true, is_bike: false } },
    { name: 'Bike', when: 'is_bike', restore: { is_truck: false, is_bike: true } },
  ],
  otherwise: { name: 'Car', restore: { is_truck: false, is_bike: false } },
  legacyColumns: ['is_truck', 'is_bike'],
  flag: { key: 'vehicles' },
} as Record<string, unknown>

async function prepare(url: string, file: Record<string, unknown> = {}): Promise<Preparation & { faults: string[] }> {
  const { rollout, faults } = compileRollout('v.yaml', JSON.stringify({ ...FILE, ...file }))
  if (!rollout) throw new Error(faults.join('\n'))
  const database = connect(url, 'test')
  const sql = database.engine()
  try {
    const table = await inspectTable(sql, rollout)
    return { ...(await inspectPreparation(sql, rollout, table)), faults: await checkAgainstTable(sql, rollout, table) }
  } finally {
    await database.close()
  }
}

const summary = ({ findings }: Preparation): string[] =>
  findings.map(({ step, refused, text }) => `${step}${refused ? ' refused' : ''}: ${text}`)

test('a role without rights, and tables behind foreign keys: each with its statement', async () => {
  await withAgentRole({ monitor: false }, async ({ url, sql, role }) => {
    await sql.unsafe(`
      create table public.trip (id int primary key, vehicle bigint references public.vehicles);
      create function public.loud() returns trigger language plpgsql as 'begin return new; end';
      create trigger loud before update on public.vehicles for each row execute function public.loud();
      update public.vehicles set is_truck = true, is_bike = false where id <= 10;
      revoke create on database ${new URL(url).pathname.slice(1)} from ${role};
      drop extension if exists pg_stat_statements`)
    const prepared = await prepare(url, { otherwise: undefined })
    expect(summary(prepared)).toEqual([
      expect.stringMatching(`^expand refused: Role ${role} .* GRANT CREATE ON DATABASE`),
      expect.stringMatching(`^finalize refused: .* Run GRANT CREATE ON SCHEMA public TO ${role}\\.$`),
      expect.stringMatching(
        `^backfill: Role ${role} may not set track_io_timing and pg_stat_statements.track, .* Run GRANT SET ON PARAMETER`,
      ),
      expect.stringMatching(/^validation: .* Run GRANT SELECT ON public\.trip TO /),
      expect.stringMatching(`^validation: .* Run GRANT pg_monitor TO ${role}\\.$`),
      expect.stringMatching(/^backfill refused: Trigger loud .* Add "loud: harmless"/),
      expect.stringMatching(/^backfill: [\d,]+ of 2,000 rows match no type/),
      expect.stringMatching(
        /^column drop refused: The extension pg_stat_statements is not created, .*\. Run CREATE EXTENSION pg_stat_statements\.$/,
      ),
    ])
    await sql.unsafe(`
      grant create on database ${new URL(url).pathname.slice(1)} to ${role}; grant create on schema public to ${role};
      grant set on parameter track_io_timing, pg_stat_statements.track to ${role};
      grant pg_monitor to ${role}; grant select on public.trip to ${role};
      create extension pg_stat_statements; drop trigger loud on public.vehicles; drop function public.loud`)
    const ready = await prepare(url)
    expect(summary(ready)).toEqual([])
    expect(ready.sampled).toBe(false)
    expect(ready.rows.map(({ type }) => type)).toEqual(['Truck', 'Bike', 'Car'])
    expect(ready.rows.reduce((sum, { count }) => sum + count, 0)).toBe(2_000)
    await sql.unsafe('drop table public.trip')
  })
})

test('a published table without a replica identity, and a column of the discriminator’s name that holds values', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(`
      create extension pg_stat_statements;
      create table public.vehicles (id int not null unique, is_truck boolean, is_bike boolean, type text);
      insert into public.vehicles values (1, true, false, 'x');
      create publication p for table public.vehicles`)
    expect(summary(await prepare(url, { publication: 'subscriber-ready' }))).toEqual([
      expect.stringMatching(/^backfill refused: .*vehicles has no replica identity/),
      expect.stringMatching(/^expand refused: Column "type" already exists and holds values/),
    ])
    await expect(sql`update public.vehicles set is_bike = true`).rejects.toThrow(/replica identity/)
  })
})

test('a trigger that is declared skips must read the setting, by itself or in a function that it names', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(`
      create table public.vehicles (id int primary key, is_truck boolean, is_bike boolean);
      create function public.by_engine() returns boolean language sql return current_setting('sti.engine', true) is not distinct from 'on';
      create function public.indirect() returns trigger language plpgsql as 'begin if not public.by_engine() then raise notice ''x''; end if; return new; end';
      create function public.loud() returns trigger language plpgsql as 'begin return new; end';
      create trigger a before update on public.vehicles for each row execute function public.indirect();
      create trigger b before update on public.vehicles for each row execute function public.loud()`)
    const { faults } = await prepare(url, { triggers: { a: 'skips', b: 'skips' } })
    expect(faults).toEqual([
      expect.stringMatching(
        /^Trigger b on public\.vehicles is declared skips, but its function public\.loud does not read the setting sti\.engine/,
      ),
    ])
    expect((await prepare(url, { triggers: { a: 'skips', b: 'harmless' } })).faults).toEqual([])
  })
})

test('a trigger of UPDATE OF a legacy column: what the canary needs, and that a write of the type alone does not fire it', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(`
      create extension pg_stat_statements;
      create table public.vehicles (id int primary key, is_truck boolean, is_bike boolean, note text);
      create function public.f() returns trigger language plpgsql as 'begin return new; end';
      create trigger told after update of is_truck, note on public.vehicles for each row execute function public.f();
      create trigger other after update of note on public.vehicles for each row execute function public.f()`)
    const silent = /^finalize: Trigger told .* names is_truck or note .* without firing it/
    expect(summary(await prepare(url))).toEqual([
      expect.stringMatching(/^validation: Trigger told .* canary .* add "told: harmless" to triggers in v\.yaml/),
      expect.stringMatching(silent),
    ])
    const triggers = { told: 'harmless' }
    expect(summary(await prepare(url, { triggers }))).toEqual([expect.stringMatching(silent)])

    await sql.unsafe(`create table public.audit (was public.vehicles[]);
      create trigger "~to" before insert on public.vehicles for each row execute function public.f()`)
    const late = /^expand refused: Trigger ~to fires after the dual-write trigger .* Rename it\.$/
    expect(summary(await prepare(url, { triggers }))).toContainEqual(expect.stringMatching(late))
    const prefilled = await prepare(url, { triggers, prefill: 'majority' })
    expect(summary(prefilled)).toContainEqual(
      expect.stringMatching(/^expand refused: public\.audit\.was holds rows .* Set prefill: none\.$/),
    )
    await expect(sql`alter table public.vehicles add type text default 'Car'`).rejects.toThrow(/uses its row type/)
  })
})

test('a name that differs by quoting is suggested, for a column of the list and in an expression', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe('create table public.vehicles (id int primary key, "isTruck" boolean, is_bike boolean)')
    const wrong = {
      types: [{ name: 'Truck', when: 'isTruck' }],
      otherwise: undefined,
      restore: 'none',
      legacyColumns: ['isTruck'],
    }
    const { rollout } = compileRollout('v.yaml', JSON.stringify({ ...FILE, ...wrong }))
    const database = connect(url, 'test')
    const faults = await checkAgainstTable(database.state, rollout!, await inspectTable(database.state, rollout!))
    await database.close()
    expect(faults.join(' ')).toContain(`Did you mean '"isTruck"'?`)
  })
})

test('an expression that raises an error for some row is a finding, not a failure of the check', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(`create extension pg_stat_statements;
      create table public.vehicles (id int primary key, kind text); insert into public.vehicles values (1, '1'), (2, 'x')`)
    const types = [{ name: 'Truck', when: 'kind::int = 1', restore: { kind: "'1'" } }]
    const otherwise = { name: 'Car', restore: { kind: "'0'" } }
    const prepared = await prepare(url, { types, otherwise, legacyColumns: ['kind'] })
    expect(prepared.rows).toEqual([])
    expect(summary(prepared)).toEqual([
      expect.stringMatching(/^backfill: .* not counted, .*invalid input syntax for type integer: "x"/),
    ])
  })
})
