import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { createVehiclesTable } from '../../../../demo/seed/vehiclesTable.ts'
import { withDatabase } from '../../../../test/support/database.ts'
import { connect } from '../../database/connect.ts'
import { draftRollout } from './draftRollout.ts'

async function draftOf(
  ddl: string,
  table: string,
  columns: string[] = [],
): Promise<{ text: string; faults: string[] }> {
  return withDatabase(async ({ url, sql }) => {
    await sql.unsafe(ddl)
    const database = connect(url, 'test')
    try {
      return await draftRollout(database.engine(), table, columns)
    } finally {
      await database.close()
    }
  })
}

interface Shape {
  readonly shape: string
  readonly ddl: string
  readonly table: string
  readonly columns?: string[]
  /** Parts of the drafted file, read back from its text. */
  readonly drafted: Record<string, unknown>
}

const SHAPES: readonly Shape[] = [
  {
    shape: 'booleans that exclude each other, beside one that says something else',
    ddl: `create table vehicles (id int primary key, is_truck boolean not null, is_bike boolean not null, is_active boolean not null);
      insert into vehicles select i, i % 3 = 0, i % 3 = 1, true from generate_series(1, 300) i`,
    table: 'vehicles',
    drafted: {
      legacyColumns: ['is_truck', 'is_bike'],
      types: [
        { name: 'Truck', when: 'is_truck', restore: { is_truck: true, is_bike: false } },
        { name: 'Bike', when: 'is_bike', restore: { is_truck: false, is_bike: true } },
      ],
      otherwise: { name: 'Other', restore: { is_truck: false, is_bike: false } },
    },
  },
  {
    shape: 'an enum with a label that no row has',
    ddl: `create type rating as enum ('G', 'PG', 'NC-17', 'R'); create table film (id int primary key, rating rating not null);
      insert into film select i, (array['G','PG','G','NC-17'])[1 + i % 4]::rating from generate_series(1, 400) i`,
    table: 'film',
    drafted: {
      types: [
        { name: 'NC17', when: "rating = 'NC-17'", restore: { rating: "'NC-17'" } },
        { name: 'PG', when: "rating = 'PG'", restore: { rating: "'PG'" } },
        { name: 'R', when: "rating = 'R'", restore: { rating: "'R'" } },
      ],
      otherwise: { name: 'G', restore: { rating: "'G'" } },
    },
  },
  {
    shape: 'a nullable text, quoted names, and a column called type',
    ddl: `create schema "My App"; create table "My App"."Things" ("Id" uuid primary key default gen_random_uuid(), "theKind" text, type int, note text);
      insert into "My App"."Things" ("theKind", note) select (array['it''s', 'b', null])[1 + i % 3], 'note ' || i from generate_series(1, 90) i`,
    table: '"My App"."Things"',
    columns: ['theKind'],
    drafted: {
      rollout: 'Things',
      discriminator: { column: 'sti_type', dataType: 'text' },
      legacyColumns: ['"theKind"'],
      types: [
        { name: 'B', when: `"theKind" = 'b'`, restore: { '"theKind"': "'b'" } },
        { name: 'ItS', when: `"theKind" = 'it''s'`, restore: { '"theKind"': "'it''s'" } },
      ],
      otherwise: { name: 'Unknown', restore: { '"theKind"': null } },
    },
  },
  {
    shape: 'nullable foreign keys that exclude each other',
    ddl: `create table truck (id int primary key); create table bike (id int primary key);
      insert into truck values (1); insert into bike values (1);
      create table item (id int primary key, truck_id int references truck, bike_id int references bike);
      insert into item select i, case when i % 3 = 0 then 1 end, case when i % 3 = 1 then 1 end from generate_series(1, 90) i`,
    table: 'item',
    drafted: {
      types: [
        { name: 'Truck', when: 'truck_id is not null', restore: { truck_id: 'keep', bike_id: null } },
        { name: 'Bike', when: 'bike_id is not null', restore: { truck_id: null, bike_id: 'keep' } },
      ],
      otherwise: { name: 'Other', restore: { truck_id: null, bike_id: null } },
    },
  },
  {
    shape: 'a time, a text of many values and a boolean, before a list of values',
    ddl: `create table item (id int primary key, state char(2), is_return boolean, delivered_at timestamptz, "holdReason" text);
      insert into item select i, (array['TR','NW',null])[1 + i % 3], i % 9 = 0, case when i % 4 = 0 then now() end,
        case when i % 5 = 0 then 'reason ' || i end from generate_series(1, 400) i`,
    table: 'item',
    columns: ['state', 'is_return', 'holdReason', 'delivered_at'],
    drafted: {
      legacyColumns: ['is_return', '"holdReason"', 'delivered_at', 'state'],
      types: [
        {
          name: 'Return',
          when: 'is_return',
          restore: { is_return: true, '"holdReason"': null, delivered_at: null, state: 'keep' },
        },
        {
          name: 'HoldReason',
          when: '"holdReason" is not null',
          restore: { is_return: false, '"holdReason"': 'keep', delivered_at: null, state: 'keep' },
        },
        {
          name: 'Delivered',
          when: 'delivered_at is not null',
          restore: { is_return: false, '"holdReason"': null, delivered_at: 'keep', state: 'keep' },
        },
        {
          name: 'NW',
          when: "state = 'NW'",
          restore: { is_return: false, '"holdReason"': null, delivered_at: null, state: "'NW'" },
        },
        {
          name: 'TR',
          when: "state = 'TR'",
          restore: { is_return: false, '"holdReason"': null, delivered_at: null, state: "'TR'" },
        },
      ],
      otherwise: { name: 'Unknown', restore: { is_return: false, delivered_at: null, state: null } },
    },
  },
  {
    shape: 'an integer that is a boolean',
    ddl: `create table item (id int primary key, gone int not null); insert into item select i, (i % 4 = 0)::int from generate_series(1, 100) i`,
    table: 'item',
    drafted: {
      types: [{ name: 'Gone1', when: 'gone = 1', restore: { gone: 1 } }],
      otherwise: { name: 'Gone0', restore: { gone: 0 } },
    },
  },
  {
    shape: 'a partitioned table with a "char" and triggers of both kinds',
    ddl: `create table event (id int, at date, kind "char" not null, primary key (id, at)) partition by range (at);
      create table event_old partition of event for values from (minvalue) to (maxvalue);
      create function loud() returns trigger language plpgsql as 'begin return new; end';
      create function quiet() returns trigger language plpgsql as $$begin if current_setting('sti.engine', true) is distinct from 'on' then new.at := new.at; end if; return new; end$$;
      create trigger "Loud" before update on event for each row execute function loud();
      create trigger quiet before update on event for each row execute function quiet();
      create trigger told after update of kind on event for each row execute function loud();
      create trigger "at" after update of at on event for each row execute function loud();
      insert into event select i, '2026-01-01', (array['a','b'])[1 + (i % 3) % 2]::"char" from generate_series(1, 60) i`,
    table: 'event',
    drafted: { triggers: { '"Loud"': 'harmless', quiet: 'skips', told: 'harmless' }, legacyColumns: ['kind'] },
  },
]

describe('a draft is valid as it is', () => {
  test.each(SHAPES)('$shape', async ({ ddl, table, columns, drafted }) => {
    const { text, faults } = await draftOf(ddl, table, columns)
    expect(faults, text).toEqual([])
    expect(parse(text)).toMatchObject(drafted)
  })
})

test('the demo’s table gets the types of the demo’s own file, but for one name', async () => {
  const { text, faults } = await withDatabase(async ({ url, sql }) => {
    await createVehiclesTable(sql, { agent: 'postgres', application: 'postgres' })
    await sql`insert into public.vehicles (vin, name, is_truck, is_bike, axles, owner_email, price)
      select i, i, i % 3 = 0, i % 3 = 1, 2, i, i from generate_series(1, 300) i`
    const database = connect(url, 'test')
    try {
      return await draftRollout(database.engine(), 'vehicles', [])
    } finally {
      await database.close()
    }
  })
  expect(faults).toEqual([])
  const own = parse(readFileSync(new URL('../../../../demo/rollouts/vehicles.yaml', import.meta.url), 'utf8')) as {
    otherwise: Record<string, unknown>
  }
  const draft = parse(text) as Record<string, unknown>
  for (const key of ['rollout', 'table', 'types', 'legacyColumns', 'triggers'] as const) {
    expect(draft[key]).toEqual((own as Record<string, unknown>)[key])
  }
  expect(draft['otherwise']).toEqual({ ...own.otherwise, name: 'Other' })
})

test('what a person must decide is marked; a publication, two booleans in one row and other candidates are named', async () => {
  const { text, faults } = await draftOf(
    `create table t (id int primary key, is_a boolean, is_b boolean, kind text, note text);
     insert into t select i, i % 2 = 0, i % 3 = 0, 'k' || i % 4, 'n' || i from generate_series(1, 120) i;
     create publication p for table t`,
    't',
    ['is_a', 'is_b'],
  )
  expect(faults).toEqual([])
  expect(text).toContain('# DECIDE: Some rows have two of these booleans')
  expect(text).toContain('sti accept-check error-ratio --all')
  expect(text).toContain('# DECIDE: published by p.')
  expect(text).toContain('other columns that could decide the type: kind.')
  expect(text).not.toContain('note')
})

test('a column that cannot decide is refused with the reason that it has', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(`create table t (id int primary key, at timestamptz not null, twice int generated always as (2) stored,
      number int generated always as identity, a text, b text); insert into t (id, at, a, b) values (1, now(), 'a', 'b');
      create table u (id int primary key, at timestamptz not null)`)
    const database = connect(url, 'test')
    const refusals: readonly (readonly [string[], string])[] = [
      [['c'], 'Column c does not exist in "public"."t".'],
      [['id'], 'it is part of the key.'],
      [['twice'], 'it is generated: name the columns of its expression.'],
      [['number'], 'it is an identity column.'],
      [['at'], 'it is never NULL, and its data type (timestamptz) is no list of values'],
      [['a', 'b'], 'a and b each have a list of values. Name one of them'],
    ]
    try {
      for (const [columns, sentence] of refusals)
        await expect(draftRollout(database.engine(), 't', columns)).rejects.toThrow(sentence)
      await expect(draftRollout(database.engine(), 'u', [])).rejects.toThrow(
        'No column of "public"."u" looks like a type. Name the columns that decide it: --columns NAME.',
      )
    } finally {
      await database.close()
    }
  })
})

test('nothing is left in the database', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe('create table t (id int primary key, a boolean)')
    const before = await sql`select count(*)::int as n from pg_class`
    const database = connect(url, 'test')
    await draftRollout(database.engine(), 't', [])
    await database.close()
    expect(await sql`select count(*)::int as n from pg_class`).toEqual(before)
  })
})
