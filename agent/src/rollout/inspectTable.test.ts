import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect, type Database, type Sql } from '../database/connect.ts'
import { compileRollout } from './compileRollout.ts'
import { inspectTable, UnsupportedTableError } from './inspectTable.ts'
import type { Rollout } from './rollout.ts'

function compileFor(table: string, discriminator = '{ column: type }'): Rollout {
  const { rollout, faults } = compileRollout(
    'a.yaml',
    `
rollout: a
table: ${JSON.stringify(table)}
discriminator: ${discriminator}
types: [{ name: Truck, when: is_truck }]
legacyColumns: [is_truck]
restore: none
flag: { key: a }`,
  )
  if (!rollout) throw new Error(faults.join('\n'))
  return rollout
}

async function withTables<T>(ddl: string, test: (sql: Sql, database: Database) => Promise<T>): Promise<T> {
  return withDatabase(async ({ url, sql }) => {
    await sql.unsafe(ddl)
    const database = connect(url, 'test')
    try {
      return await test(database.state, database)
    } finally {
      await database.close()
    }
  })
}

test('reads keys, columns, and types of every table shape', async () => {
  await withTables(
    `create schema app; create schema "My Schema"; set search_path = app, public;
     create type app."Kind" as enum ('Truck', 'Car');
     create domain app.label as text; create domain app.outer as app.label;
     create table app.identity (id bigint generated always as identity primary key, is_truck boolean not null default false,
       type app."Kind", joined text generated always as ('a' || 'b') stored, l app.outer, many app."Kind"[], v varchar(20));
     create table app.composite (b int, a text, is_truck boolean, primary key (a, b));
     create table app.uuid (is_truck boolean, "Key" uuid primary key default gen_random_uuid());
     create table "My Schema"."Ve""hicles" ("I d" int not null, other int, is_truck boolean);
     create unique index on "My Schema"."Ve""hicles" (other);
     create unique index on "My Schema"."Ve""hicles" ("I d") where "I d" > 0;
     create unique index on "My Schema"."Ve""hicles" ("I d") include (other);
     create index on "My Schema"."Ve""hicles" (is_truck);`,
    async (sql) => {
      const identity = await inspectTable(sql, compileFor('app.identity'))
      expect(identity.key).toEqual([{ name: 'id', sql: '"id"', type: 'bigint', operators: null }])
      expect(Object.fromEntries(identity.columns.map((c) => [c.name, [c.type, c.baseType]]))).toEqual({
        id: ['bigint', 'int8'],
        is_truck: ['boolean', 'bool'],
        type: ['app."Kind"', '"app"."Kind"'],
        joined: ['text', 'text'],
        l: ['app."outer"', 'text'],
        many: ['app."Kind"[]', '"app"."_Kind"'],
        v: ['character varying(20)', 'varchar'],
      })
      expect(identity.columns[0]).toMatchObject({ identity: 'always', notNull: true, generated: false })
      expect(identity.columns[1]).toMatchObject({ default: 'false', identity: null, enumLabels: null })
      expect(identity.columns[3]).toMatchObject({ generated: true, default: "('a'::text || 'b'::text)" })
      expect(identity.discriminator).toMatchObject({ name: 'type', enumLabels: ['Truck', 'Car'] })
      expect((await inspectTable(sql, compileFor('app.composite'))).key.map((c) => c.sql)).toEqual(['"a"', '"b"'])
      expect((await inspectTable(sql, compileFor('app.uuid'))).key).toEqual([
        { name: 'Key', sql: '"Key"', type: 'uuid', operators: null },
      ])
      const mixed = await inspectTable(sql, compileFor('"My Schema"."Ve""hicles"'))
      expect(mixed.key).toEqual([{ name: 'I d', sql: '"I d"', type: 'integer', operators: null }])
      expect(mixed.secondaryIndexes).toHaveLength(4)
      expect(mixed).toMatchObject({ partitioned: false, partitions: [], discriminator: null, estimatedRows: 0 })
    },
  )
})

test('a type is qualified with its schema even if that is on the search path', async () => {
  await withTables(
    `create schema app; create type app.kind as enum ('a');
     create table app.t (id app.kind primary key, is_truck boolean, many app.kind[])`,
    async (_, database) => {
      const sql = database.engine()
      const table = await inspectTable(sql, compileFor('app.t'))
      expect(table.key[0]!.type).toBe('app.kind')
      expect(table.columns.at(-1)!.type).toBe('app.kind[]')
    },
  )
})

test('a partitioned table: leaf partitions, total rows and bytes, its own triggers and those of one partition', async () => {
  await withTables(
    `create function f() returns trigger language plpgsql as 'begin return new; end';
     create table public.t (id int, region text, is_truck boolean, primary key (region, id)) partition by list (region);
     create table public.t_eu partition of public.t for values in ('eu') partition by range (id);
     create table public.t_eu_1 partition of public.t_eu for values from (1) to (1000);
     create table public.t_us partition of public.t for values in ('us');
     create trigger everywhere before update on public.t for each row execute function f();
     create trigger here after update of is_truck or delete on public.t_us for each row execute function f();
     create rule silent as on update to public.t_us do also nothing;
     alter table public.t_us disable trigger here;
     insert into public.t select i, 'eu', true from generate_series(1, 900) i; analyze public.t`,
    async (sql) => {
      const table = await inspectTable(sql, compileFor('t'))
      expect(table.partitioned).toBe(true)
      expect(table.partitions.map((partition) => partition.sql)).toEqual(['public.t_eu_1', 'public.t_us'])
      expect(table.estimatedRows).toBe(900)
      expect(table.bytes).toBeGreaterThan(8192)
      expect(table.updateRules).toEqual(['silent'])
      expect(table.triggers.filter((trigger) => !trigger.internal)).toMatchObject([
        { name: 'everywhere', on: 'public.t', timing: 'before', updateOf: null, onDelete: false, enabled: 'origin' },
        {
          name: 'here',
          on: 'public.t_us',
          timing: 'after',
          updateOf: ['is_truck'],
          onDelete: true,
          enabled: 'disabled',
        },
      ])
      expect(table.triggers[0]).toMatchObject({ function: 'public.f', ours: false, forEachRow: true, onUpdate: true })
    },
  )
})

test('the row count is unknown without statistics, and zero for an empty table', async () => {
  await withTables(
    `create table public.t (id int primary key, is_truck boolean) with (autovacuum_enabled = false);
     create table public.empty (id int primary key, is_truck boolean);
     insert into public.t select i from generate_series(1, 10) i`,
    async (sql) => {
      expect((await inspectTable(sql, compileFor('t'))).estimatedRows).toBeNull()
      expect((await inspectTable(sql, compileFor('empty'))).estimatedRows).toBe(0)
    },
  )
})

test.each([
  ['missing', /does not exist in this database\. Create it/],
  ['a_view', /is a view\. Specify the table/],
  ['part', /is a partition of public.parts\. Specify the partitioned table/],
  ['child', /inherits from public.parent/],
  ['parent', /has child tables/],
  ['typed', /is a table of a composite type/],
  ['keyless', /no primary key and no unique index/],
  ['nullable', /no primary key and no unique index/],
  ['deferred', /no primary key and no unique index/],
  [
    'deferred_key',
    /has a primary key, "deferred_key_pkey", that cannot order batches: it is DEFERRABLE\. Add a unique index: create unique index concurrently on public\.deferred_key \(id\)\.$/,
  ],
])('refuses %s with one sentence', async (name, sentence) => {
  await withTables(
    `create table public.parts (id int primary key, is_truck boolean) partition by range (id);
     create table public.part partition of public.parts default;
     create view public.a_view as select 1 as is_truck;
     create table public.parent (id int primary key, is_truck boolean); create table public.child () inherits (public.parent);
     create type public.shape as (id int, is_truck boolean); create table public.typed of public.shape (primary key (id));
     create table public.keyless (is_truck boolean);
     create table public.nullable (id int unique, is_truck boolean);
     create table public.deferred_key (id int primary key deferrable, is_truck boolean);
     create table public.deferred (id int not null unique deferrable, is_truck boolean)`,
    async (sql) => {
      const failure = await inspectTable(sql, compileFor(name)).catch((error: unknown) => error)
      expect(failure).toBeInstanceOf(UnsupportedTableError)
      expect((failure as UnsupportedTableError).message).toMatch(sentence)
    },
  )
})

const hasTemporalKeys = Number(process.env['STI_POSTGRES_VERSION'] ?? 18) >= 18
test.runIf(hasTemporalKeys)(
  'a key WITHOUT OVERLAPS is refused with the index that makes the table usable',
  async () => {
    await withTables(
      `create extension btree_gist with schema public;
     create table public.t (id int, valid daterange, is_truck boolean, primary key (id, valid without overlaps))`,
      async (sql) => {
        const failure = await inspectTable(sql, compileFor('t')).catch((error: unknown) => String(error))
        const [, index] = /its index is not a B-tree\. Add a unique index: (.+)\.$/.exec(failure as string)!
        await sql.unsafe(index!)
        expect((await inspectTable(sql, compileFor('t'))).key.map(({ name }) => name)).toEqual(['id', 'valid'])
      },
    )
  },
)
