import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { runProgram } from '../../agent/src/cli/program.ts'
import type { PreparationFinding } from '../../agent/src/rollout/preparation.ts'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { findColumnDropCheck, prepareColumnDrop, validateIntegrity } from './enabledRollout.ts'

/** The checks of the column drop whose answer is in the catalog. */
const CHECKS = ['no-dependent-objects', 'no-function-body', 'no-subscriber', 'undo-possible']

const fileOf = (table: string, legacyColumns: string, restore: (truck: boolean) => string): string => `rollout: vehicles
table: ${table}
types:
  - { name: Truck, when: is_truck, restore: { ${restore(true)} } }
otherwise: { name: Car, restore: { ${restore(false)} } }
legacyColumns: [${legacyColumns}]
triggers: { by_column: harmless, by_condition: harmless }
flag: { key: vehicles-sti }
validation: { requires: [integrity] }
`

/** The findings of `sti check FILE --database URL --json` for the column drop, and its exit code. */
async function check(
  url: string,
  file: string,
): Promise<{ code: number; findings: PreparationFinding[]; out: string }> {
  const cwd = await mkdtemp(join(tmpdir(), 'sti-check-'))
  await writeFile(join(cwd, 'vehicles.yaml'), file)
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const output = text(stdout)
  const errors = text(stderr)
  const argv = ['check', 'vehicles.yaml', '--database', url, '--json']
  const code = await runProgram(argv, { stdin: new PassThrough(), stdout, stderr, env: {}, cwd, home: '/' })
  stdout.end()
  stderr.end()
  const out = `${await output}${await errors}`
  const { findings = [] } = JSON.parse(out.split('\n')[0]!) as { findings?: PreparationFinding[] }
  return { code, findings: findings.filter(({ step }) => step === 'column drop'), out }
}

/** What each check of the column drop says after the whole way up to finalize, by its name. */
async function refusedLater(url: string, file: string): Promise<Map<string, readonly string[]>> {
  const use = async (agent: TestAgent): Promise<Map<string, readonly string[]>> => {
    await agent.run('expand')
    await agent.run('backfill')
    await validateIntegrity(agent)
    await agent.run('finalize')
    const dropped = await prepareColumnDrop(agent)
    expect(dropped.prepared).toBe(false)
    return new Map(
      CHECKS.map((name) => {
        const { verdict, evidence, findings } = findColumnDropCheck(dropped, name)
        return [name, verdict === 'pass' ? [] : name === 'no-subscriber' ? [evidence] : findings]
      }),
    )
  }
  return await withAgent(url, file, use, { log: () => undefined })
}

/** What `sti check` says of each check, in the same form. */
const refusedBefore = (findings: readonly PreparationFinding[]): Map<string, readonly string[]> =>
  new Map(
    CHECKS.map((name) => {
      const found = findings.find(({ text }) => text.includes(`(check ${name})`))
      return [name, found === undefined ? [] : (found.objects ?? [found.text])]
    }),
  )

/** A kind of object, the words by which it is named, and how it is created. */
type Kind = readonly [kind: string, named: string, create: string]

const KINDS: readonly Kind[] = [
  ['view', 'view public.trucks depends on is_truck', 'create view public.trucks as select id from public.vehicles where is_truck'],
  ['materialized view', 'materialized view public.kept', 'create materialized view public.kept as select is_truck from public.vehicles'],
  ['view over whole rows', 'view public.whole', 'create view public.whole as select v from public.vehicles v'],
  ['rule', 'rule removed on public.vehicles', 'create rule removed as on delete to public.vehicles where old.is_truck do also insert into public.log (note) values (old.name)'],
  ['trigger of UPDATE OF', 'trigger by_column on public.vehicles', 'create trigger by_column after update of is_truck on public.vehicles for each row execute function public.touched()'],
  ['trigger with WHEN', 'trigger by_condition on public.vehicles', 'create trigger by_condition before update on public.vehicles for each row when (old.is_truck <> new.is_truck) execute function public.touched()'],
  ['policy', 'policy mine on public.vehicles', 'create policy mine on public.vehicles using (not is_truck)'],
  ['generated column', 'generated column public.vehicles.heavy', 'alter table public.vehicles add column heavy boolean generated always as (is_truck) stored'],
  ['function with a SQL-standard body', 'function public.counted()', 'create function public.counted() returns bigint begin atomic select count(*) from public.vehicles where is_truck; end'],
  ['function in SQL', 'public.listed() reads is_truck', `create function public.listed() returns bigint language sql as 'select count(*) from public.vehicles where is_truck'`],
  ['function in PL/pgSQL', 'public.marked() writes is_truck', `create function public.marked() returns void language plpgsql as 'begin update public.vehicles set is_truck = true where id = 1; end'`],
  ['procedure', 'public.sold() writes is_truck', `create procedure public.sold() language sql as 'update public.vehicles set is_truck = false where id = 1'`],
  ['dynamic SQL', 'public.built()', `create function public.built() returns void language plpgsql as 'begin execute $$delete from vehicles where is_truck$$; end'`],
  ['index over another column', 'index public.vehicles_mixed depends on is_truck', 'create index vehicles_mixed on public.vehicles (name, is_truck)'],
  ['included column', 'index public.vehicles_included', 'create index vehicles_included on public.vehicles (name) include (is_truck)'],
  ['partial index', 'index public.vehicles_partial', 'create index vehicles_partial on public.vehicles (name) where is_truck'],
  ['index of an expression', 'index public.vehicles_expression', 'create index vehicles_expression on public.vehicles ((name || is_truck::text))'],
  ['check', 'constraint vehicles_axles on public.vehicles depends on is_truck', 'alter table public.vehicles add constraint vehicles_axles check (not is_truck or axles is not null)'],
  ['unique constraint', 'constraint vehicles_once on public.vehicles', 'alter table public.vehicles add constraint vehicles_once unique (id, is_truck)'],
  ['exclusion constraint with a condition', 'exclusion constraint vehicles_names on public.vehicles depends on is_truck', 'alter table public.vehicles add constraint vehicles_names exclude (name with =) where (is_truck)'],
  ['exclusion constraint over another column', 'constraint vehicles_single on public.vehicles depends on is_truck', 'alter table public.vehicles add constraint vehicles_single exclude (name with =, is_truck with =)'],
  ['statistics object', 'statistics object public.vehicles_kinds', 'create statistics public.vehicles_kinds on is_truck, axles from public.vehicles'],
  ['foreign key of another table', 'foreign key trip_tag_fkey on public.trip depends on tag', 'create table public.trip (tag int references public.vehicles (tag))'],
  ['foreign key of the table itself', 'foreign key vehicles_towed_fkey on public.vehicles depends on tag', 'alter table public.vehicles add column towed int constraint vehicles_towed_fkey references public.vehicles (tag)'],
  ['column list of a publication', 'publication public.vehicles in publication listed', 'create publication listed for table public.vehicles (id, tag, is_truck)'],
  ['filter of a publication', 'publication public.vehicles in publication filtered', `create publication filtered for table public.vehicles (id) where (is_truck) with (publish = 'insert')`],
  ['replica identity', 'replica identity public.vehicles_tag_key depends on tag', 'alter table public.vehicles replica identity using index vehicles_tag_key'],
  ['sequence that another table uses', 'column default public.log.id depends on tag', 'create sequence public.tags owned by public.vehicles.tag; alter table public.log alter id set default nextval($$public.tags$$)'],
  ['column that the undo cannot fill', 'Column "tag" is NOT NULL and has no default', 'alter table public.vehicles alter tag drop default'],
] // prettier-ignore

test('sti check names before expand what the column drop refuses later: each kind of object, in the same words', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(`create extension pg_stat_statements;
      create table public.vehicles (id int primary key, name text, is_truck boolean, axles int, tag int not null unique default 0,
        parent int constraint vehicles_parent_fkey references public.vehicles);
      create table public.log (id int, note text);
      create function public.touched() returns trigger language plpgsql as 'begin return new; end';
      create index vehicles_truck on public.vehicles (is_truck);
      insert into public.vehicles select n, n, n % 2 = 0, 2, n from generate_series(1, 20) n`)
    const file = fileOf(
      'public.vehicles',
      'is_truck, tag, parent',
      (truck) => `is_truck: ${truck}, tag: keep, parent: keep`,
    )
    for (const [, , create] of KINDS) await sql.unsafe(create)
    const { code, findings, out } = await check(url, file)
    expect({ code, out: code === 0 ? '' : out }).toEqual({ code: 0, out: '' })
    const before = refusedBefore(findings)
    const later = await refusedLater(url, file)
    // What PostgreSQL drops and the undo recreates blocks nothing, such as a foreign key and an index of one column.
    expect([...before.values()].flat().join('\n')).not.toMatch(/vehicles_parent_fkey|vehicles_truck\b/)
    for (const [kind, named] of KINDS) {
      const naming = (refused: Map<string, readonly string[]>): string[] =>
        [...refused.values()].flat().filter((line) => line.includes(named))
      expect(naming(before), `${kind} in sti check: ${[...before.values()].flat().join('\n')}`).not.toEqual([])
      expect(naming(later), `${kind} in the column drop`).not.toEqual([])
    }
    const objects = before.get('no-dependent-objects')!
    expect(findings.map(({ text }) => text)).toContain(
      `${objects.length} objects depend on the columns (check no-dependent-objects).`,
    )
    for (const name of CHECKS.filter((other) => other !== 'no-subscriber'))
      expect(before.get(name), name).toEqual(later.get(name))
    expect(before.get('no-subscriber')!.join().toLowerCase()).toContain(later.get('no-subscriber')!.join())
  })
})

test('objects of partitions are named, and what they have from the table only once; keys and refused drops are named too', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(`create extension pg_stat_statements;
      create table public.vehicles (id int, name text, is_truck boolean, primary key (id)) partition by hash (id);
      create table public.first partition of public.vehicles for values with (modulus 2, remainder 0);
      create table public.second partition of public.vehicles for values with (modulus 2, remainder 1);
      create function public.touched() returns trigger language plpgsql as 'begin return new; end';
      create index vehicles_partial on public.vehicles (name) where is_truck;
      alter table public.vehicles add constraint vehicles_named check (not is_truck or name is not null);
      create trigger by_column after update of is_truck on public.vehicles for each row execute function public.touched();
      create trigger by_condition after update of is_truck on public.first for each row execute function public.touched();
      create view public.seconds as select is_truck from public.second;
      create index first_partial on public.first (name) where is_truck;
      insert into public.vehicles select n, n, n % 2 = 0 from generate_series(1, 20) n`)
    const file = fileOf('public.vehicles', 'is_truck', (truck) => `is_truck: ${truck}`)
    const { code, findings } = await check(url, file)
    expect(code).toBe(0)
    const before = refusedBefore(findings)
    expect(
      before
        .get('no-dependent-objects')!
        .map((line) => line.replace(/ depends on .*/, ''))
        .toSorted(),
    ).toEqual([
      'constraint vehicles_named on public.vehicles',
      'index public.first_partial',
      'index public.vehicles_partial',
      'trigger by_column on public.vehicles',
      'trigger by_condition on public.first',
      'view public.seconds',
    ])

    // Only the column drop needs DROP COLUMN, and a data rollback.
    await sql.unsafe(`create function public.no_drop() returns event_trigger language plpgsql as 'begin raise exception ''no drops on Fridays''; end';
      create event trigger no_drop on sql_drop execute function public.no_drop()`)
    const guarded = await check(url, file)
    expect(guarded.findings[0]!.text).toMatch(
      /^The database refuses to drop a column, which the data rollback does too: no drops on Fridays\. .*public\.no_drop\(\)/,
    )
    await sql.unsafe('drop event trigger no_drop')

    await sql.unsafe(`create table public.keyed (id int, is_truck boolean, primary key (id, is_truck));
      create table public.listed (id int, is_truck boolean, primary key (id, is_truck)) partition by list (is_truck)`)
    const keyed = await check(
      url,
      fileOf('public.keyed', 'is_truck', (truck) => `is_truck: ${truck}`).replace(/triggers.*\n/, ''),
    )
    expect(refusedBefore(keyed.findings).get('no-dependent-objects')).toContainEqual(
      expect.stringMatching(/^key id, is_truck depends on is_truck: .*Add a primary key without the column$/),
    )
    const listed = await check(
      url,
      fileOf('public.listed', 'is_truck', (truck) => `is_truck: ${truck}`).replace(/triggers.*\n/, ''),
    )
    expect(listed).toMatchObject({ code: 1, out: expect.stringContaining('is in the partition key') as string })
  })
})
