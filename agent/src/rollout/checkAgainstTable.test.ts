import { describe, expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect, type Sql } from '../database/connect.ts'
import { checkAgainstTable, checkRolloutFile, privilegeNotes, undeclaredTriggers } from './checkAgainstTable.ts'
import { compileRollout } from './compileRollout.ts'
import { inspectTable } from './inspectTable.ts'
import { cannotRaise } from './cannotRaise.ts'
import type { Rollout, Table } from './rollout.ts'

const VEHICLES = `create table public.vehicles (id bigint generated always as identity primary key,
  is_truck boolean not null default false, is_bike boolean, kind text, axles int, made timestamptz, day date);`

const BASE_FILE = {
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

function rolloutOf(file: Record<string, unknown>): Rollout {
  const { rollout, faults } = compileRollout('v.yaml', JSON.stringify({ ...BASE_FILE, ...file }))
  if (!rollout) throw new Error(faults.join('\n'))
  return rollout
}

/** A rollout file with one type, decided by one expression over `columns`. */
function singleType(when: string, ...columns: string[]): Record<string, unknown> {
  return { types: [{ name: 'Truck', when }], otherwise: undefined, restore: 'none', legacyColumns: columns }
}

async function withCheckedTable<T>(
  ddl: string,
  file: Record<string, unknown>,
  test: (found: { faults: string[]; table: Table; rollout: Rollout; engine: Sql; sql: Sql }) => T | Promise<T>,
  as?: string,
): Promise<T> {
  return withDatabase(async ({ url, sql }) => {
    await sql.unsafe(ddl)
    const address = new URL(url)
    if (as) [address.username, address.password] = [as, as]
    const database = connect(address.href, 'test')
    try {
      const rollout = rolloutOf(file)
      const engine = database.engine()
      const table = await inspectTable(engine, rollout)
      const faults = await checkAgainstTable(engine, rollout, table)
      return await test({ faults, table, rollout, engine, sql: sql as unknown as Sql })
    } finally {
      await database.close()
    }
  })
}

test('a valid file has no fault, and nothing is left behind', async () => {
  await withCheckedTable(VEHICLES, {}, async ({ faults, engine, sql, rollout, table }) => {
    expect(faults).toEqual([])
    const [left] = await sql`select count(*)::int as n from pg_class where relname like '~sti%'`
    expect(left).toEqual({ n: 0 })
    const [settings] = await engine`select current_setting('TimeZone') as zone, current_setting('search_path') as path`
    expect(settings).toEqual({ zone: expect.not.stringContaining('Etc/GMT'), path: 'pg_catalog, pg_temp' })
    expect(cannotRaise(rollout, table)).toBe(true)
  })
})

test('after a refusal in the middle, nothing is left behind, and the connection still works', async () => {
  await withCheckedTable(
    VEHICLES,
    singleType('is_truck and kind = 3', 'is_truck', 'kind'),
    async ({ faults, engine, sql }) => {
      expect(faults).toEqual([
        expect.stringMatching(/^The when of Truck is refused by PostgreSQL: operator does not exist: text = integer/),
      ])
      expect(faults[0]).toContain('(v.yaml:1:')
      expect((await sql`select from pg_class where relname like '~sti%'`).count).toBe(0)
      expect((await engine`select 1 as one`)[0]).toEqual({ one: 1 })
    },
  )
})

describe('tables of every shape', () => {
  const restored = (column: string) => ({
    types: [{ name: 'Truck', when: column, restore: { [column]: true } }],
    otherwise: { name: 'Car', restore: { [column]: false } },
    legacyColumns: [column],
  })
  test.each<[string, string, Record<string, unknown>]>([
    ['composite key', 'create table public.vehicles (a int, b text, t boolean, primary key (b, a))', restored('t')],
    ['text key', 'create table public.vehicles (id text primary key, t boolean)', restored('t')],
    ['uuid key', 'create table public.vehicles (id uuid primary key, t boolean)', restored('t')],
    [
      'identity always',
      'create table public.vehicles (id int generated always as identity primary key, t boolean)',
      restored('t'),
    ],
    [
      'quoted names, mixed case, another schema',
      'create schema "My Schema"; create table "My Schema"."Ve""hicles" ("I d" int primary key, "Is ""T" boolean not null)',
      { ...restored('"Is ""T"'), table: '"My Schema"."Ve""hicles"', discriminator: { column: '"The Type"' } },
    ],
    [
      'partitioned',
      `create table public.vehicles (id int, r text, t boolean, primary key (r, id)) partition by list (r);
       create table public.vehicles_eu partition of public.vehicles for values in ('eu')`,
      restored('t'),
    ],
    [
      'enum in another schema',
      `create schema app; create type app."Kind" as enum ('Truck', 'Car'); create table public.vehicles (id int primary key, t boolean)`,
      { ...restored('t'), discriminator: { dataType: 'app."Kind"' } },
    ],
    [
      'enum in the schema of the table, and an enum as the legacy column',
      `create schema app; create type app.new as enum ('Truck', 'Car'); create type app.old as enum ('t', 'c');
       create table app.vehicles (id int primary key, k app.old)`,
      {
        table: 'app.vehicles',
        discriminator: { dataType: 'new' },
        types: [{ name: 'Truck', when: "k = 't'", restore: { k: "'t'" } }],
        otherwise: { name: 'Car', restore: { k: 'null' } },
        legacyColumns: ['k'],
      },
    ],
    [
      'unconstrained domain',
      `create domain public.kind as varchar(10); create table public.vehicles (id int primary key, t boolean)`,
      { ...restored('t'), discriminator: { dataType: 'public.kind' } },
    ],
    [
      'other generated columns, and a discriminator that already exists',
      `create table public.vehicles (id int primary key, t boolean, g text generated always as ('x') stored, type varchar(20))`,
      { ...restored('t'), discriminator: { dataType: 'character varying(20)' } },
    ],
    [
      'checks and NOT NULL on other columns, which a restore does not write',
      `create table public.vehicles (id int primary key, t boolean, other int not null, check (other is not null or t))`,
      restored('t'),
    ],
  ])('%s', async (_, ddl, file) => {
    await withCheckedTable(ddl, file, ({ faults }) => expect(faults).toEqual([]))
  })
})

describe('invalid when expressions', () => {
  test.each<[string, string[], RegExp]>([
    ['now() > made', ['made'], /is not immutable/],
    ["made::date = '2026-01-01'", ['made'], /is not immutable/],
    ["made > '2026-01-01'", ['made'], /depends on the session or the current time/],
    ["made > 'now'", ['made'], /depends on the session or the current time/],
    ["day > 'today'", ['day'], /depends on the session or the current time/],
    ["day > '01/02/2026'", ['day'], /depends on the session or the current time/],
    ['kind = null', ['kind'], /depends on the session or the current time/],
    ['axles', ['axles'], /must be type boolean, not type integer/],
    ['my_max(axles) > 1', ['axles'], /aggregate functions are not allowed/],
    ['generate_series(1, axles) > 1', ['axles'], /set-returning functions are not allowed/],
    ['no_such(axles)', ['axles'], /function no_such\(integer\) does not exist/],
  ])('%s', async (when, columns, fault) => {
    const ddl = `${VEHICLES} create aggregate public.my_max(int) (sfunc = int4larger, stype = int)`
    await withCheckedTable(ddl, singleType(when, ...columns), ({ faults }) => {
      expect(faults).toHaveLength(1)
      expect(faults[0]).toMatch(fault)
    })
  })

  test.each<[string, string[]]>([
    ["made > '2026-01-01 00:00+00'", ['made']],
    ["day > '2026-01-31'", ['day']],
    ["lower(kind) = 'truck' -- as they say", ['kind']],
    ['axles / 2 > 1', ['axles']],
    ['own(axles)', ['axles']],
  ])('%s is taken', async (when, columns) => {
    const ddl = `${VEHICLES} create function public.own(int) returns boolean immutable language sql as 'select $1 > 1'`
    await withCheckedTable(ddl, singleType(when, ...columns), ({ faults }) => expect(faults).toEqual([]))
  })

  test('a generated column, whose expression is named', async () => {
    const ddl = `create table public.vehicles (id int primary key, axles int, heavy boolean generated always as (axles > 2) stored)`
    await withCheckedTable(ddl, singleType('heavy', 'heavy'), ({ faults }) => {
      expect(faults).toEqual([
        expect.stringMatching(/Column heavy is generated.*Use its expression in "when" instead, \(axles > 2\)/),
      ])
    })
  })
})

describe('restore', () => {
  const types = (truck: unknown, car: unknown) => ({
    types: [{ name: 'Truck', when: 'is_truck', restore: { is_truck: truck } }],
    otherwise: { name: 'Car', restore: { is_truck: car } },
    legacyColumns: ['is_truck'],
  })
  test.each<[string, Record<string, unknown>, RegExp]>([
    ['derives another type', types(true, true), /restore of Car derives Truck/],
    ['NOT NULL', types(true, null), /Cannot write the restore of Car: null value in column "is_truck"/],
    [
      'of the wrong type',
      types(true, '7::int'),
      /Cannot write the restore of Car: column "is_truck" is of type boolean/,
    ],
    ['not of its column’s type', types(true, "'maybe'"), /invalid input syntax for type boolean: "maybe"/],
  ])('%s', async (_, file, fault) => {
    await withCheckedTable(VEHICLES, file, ({ faults }) => {
      expect(faults).toHaveLength(1)
      expect(faults[0]).toMatch(fault)
    })
  })

  test.each<[string, unknown, RegExp | null]>([
    ['keep', 'keep', null],
    ['an expression over legacy and permanent columns', { sql: 'axles > 2 or is_truck' }, null],
    [
      'a CASE, which PostgreSQL writes in several lines',
      { sql: 'case when axles > 2 then is_truck else false end' },
      null,
    ],
    [
      'an expression of another type',
      { sql: 'axles + 1' },
      /restore of is_truck for Car is refused .* of type boolean/,
    ],
    ['two values', { sql: 'generate_series(1, 2) > 1' }, /restore of is_truck for Car is refused .*set-returning/],
    ['not immutable', { sql: 'made < now()' }, /restore of is_truck for Car is not immutable/],
    [
      'dependent on the session',
      { sql: "day > '01/02/2026'" },
      /restore of is_truck for Car has a constant that depends/,
    ],
  ])('%s', async (_, value, fault) => {
    const file = { ...types(true, value), permanentColumns: ['axles', 'made', 'day'] }
    await withCheckedTable(VEHICLES, file, ({ faults }) => {
      expect(faults).toEqual(fault === null ? [] : [expect.stringMatching(fault)])
    })
  })

  test('a permanent column that does not exist', async () => {
    await withCheckedTable(VEHICLES, { permanentColumns: ['weight'] }, ({ faults }) => {
      expect(faults).toEqual([expect.stringMatching(/Column weight does not exist .*Correct permanentColumns/)])
    })
  })

  test('a type that is shadowed by an earlier one, too long, or in conflict with a CHECK of its columns', async () => {
    const ddl = `create table public.vehicles (id int primary key, a boolean, k varchar(3) not null, check (not a or k = 'x'))`
    const file = {
      types: [
        { name: 'A', when: 'a', restore: { a: true, k: "'y'" } },
        { name: 'B', when: "k = 'b'", restore: { a: true, k: "'x'" } },
        { name: 'C', when: "k = 'cccc'", restore: { a: false, k: "'cccc'" } },
      ],
      otherwise: undefined,
      legacyColumns: ['a', 'k'],
    }
    await withCheckedTable(ddl, file, ({ faults }) => {
      expect(faults[0]).toMatch(/Cannot write the restore of A: .*violates check constraint/)
      expect(faults[1]).toMatch(/restore of B derives A/)
      expect(faults[2]).toMatch(/Cannot write the restore of C: value too long/)
      expect(faults).toHaveLength(3)
    })
  })
})

describe('the discriminator', () => {
  test.each<[string, string, Record<string, unknown>, RegExp]>([
    [
      'an unknown type',
      '',
      { discriminator: { dataType: 'app.kind' } },
      /type "app.kind" does not exist|schema "app" does not exist/,
    ],
    [
      'a domain with a constraint below another one',
      `create domain public.inner_kind as text check (value <> ''); create domain public.kind as public.inner_kind;`,
      { discriminator: { dataType: 'public.kind' } },
      /has a constraint or a default, and adding such a column rewrites the table/,
    ],
    [
      'a domain that is NOT NULL',
      'create domain public.kind as text not null;',
      { discriminator: { dataType: 'kind' } },
      /rewrites the table/,
    ],
    [
      'an enum without a label',
      `create type public.kind as enum ('Truck', 'Car');`,
      { discriminator: { dataType: 'kind' } },
      /has no label Bike\. Run ALTER TYPE public.kind ADD VALUE 'Bike'/,
    ],
    ['too short', '', { discriminator: { dataType: 'varchar(4)' } }, /stores Truck as Truc/],
    ['not for names', '', { discriminator: { dataType: 'integer' } }, /are not values of integer/],
    ['another type there', 'alter table public.vehicles add type int;', {}, /already exists with type integer/],
    [
      'generated',
      `alter table public.vehicles add type text generated always as ('x') stored;`,
      {},
      /already exists and is generated/,
    ],
    [
      'an existing NOT NULL column, and rows may be unmapped',
      `alter table public.vehicles add type text not null;`,
      { otherwise: undefined },
      /already exists as NOT NULL/,
    ],
    [
      'in the key',
      'alter table public.vehicles drop constraint vehicles_pkey; alter table public.vehicles add type text, add primary key (type, id);',
      {},
      /is in the key/,
    ],
    [
      'notNull with an expression that may raise an error',
      '',
      {
        constraint: 'notNull',
        types: [{ name: 'Truck', when: 'axles / axles = 1' }],
        otherwise: { name: 'Car' },
        restore: 'none',
        legacyColumns: ['axles'],
      },
      /can raise an error for some rows/,
    ],
  ])('%s', async (_, ddl, file, fault) => {
    await withCheckedTable(VEHICLES + ddl, file, ({ faults }) => {
      expect(faults.length).toBeGreaterThan(0)
      expect(faults[0]).toMatch(fault)
    })
  })

  test('an existing NOT NULL column is accepted if every row gets a type', async () => {
    await withCheckedTable(
      `${VEHICLES} alter table public.vehicles add type text not null`,
      { constraint: 'notNull' },
      ({ faults }) => expect(faults).toEqual([]),
    )
  })
})

describe('outside of the table', () => {
  test('columns that are missing', async () => {
    await withCheckedTable('create table public.vehicles (id int primary key)', {}, ({ faults }) => {
      expect(faults).toEqual([
        expect.stringMatching(/^Column is_truck does not exist in "public"."vehicles"/),
        expect.stringMatching(/^Column is_bike does not exist in/),
      ])
    })
  })

  test('a partition key of legacy columns, also below the root', async () => {
    const ddl = `create table public.vehicles (id int, is_truck boolean, is_bike boolean, kind text,
        primary key (id, is_truck, kind)) partition by list (is_truck);
      create table public.trucks partition of public.vehicles for values in (true) partition by list (kind)`
    await withCheckedTable(ddl, {}, ({ faults }) =>
      expect(faults).toEqual([expect.stringMatching(/^is_truck is in the partition key/)]),
    )
    await withCheckedTable(ddl, singleType("kind = 'x'", 'kind'), ({ faults }) =>
      expect(faults).toEqual([expect.stringMatching(/^kind is in the partition key/)]),
    )
    await withCheckedTable(ddl, singleType('is_bike', 'is_bike'), ({ faults }) => expect(faults).toEqual([]))
  })

  test('publications of the table, its schema, or all tables are refused, but not with a column list or publication: subscriber-ready', async () => {
    const ddl = `${VEHICLES} create table public.other (id int primary key);
      create publication listed for table public.vehicles, public.other;
      create publication "Sch ema" for tables in schema public;
      create publication narrow for table public.vehicles (id, is_truck);
      create publication elsewhere for table public.other;`
    await withCheckedTable(ddl, {}, ({ faults }) => {
      expect(faults).toHaveLength(2)
      expect(faults[0]).toMatch(/^Publication Sch ema sends "public"."vehicles"/)
      expect(faults[1]).toMatch(
        /^Publication listed .*\(it publishes public.other, public.vehicles\)\. Add type to the subscribers' table and then/,
      )
    })
    await withCheckedTable(`${VEHICLES} create publication everything for all tables`, {}, ({ faults }) =>
      expect(faults).toEqual([expect.stringMatching(/FOR ALL TABLES, so including schema sti/)]),
    )
    await withCheckedTable(ddl, { publication: 'subscriber-ready' }, ({ faults }) => expect(faults).toEqual([]))
  })

  test('a partition that is published on its own', async () => {
    const ddl = `create table public.vehicles (id int primary key, is_truck boolean, is_bike boolean) partition by range (id);
      create table public.low partition of public.vehicles default; create publication one for table public.low`
    await withCheckedTable(ddl, {}, ({ faults }) =>
      expect(faults).toEqual([expect.stringMatching(/^Publication one sends/)]),
    )
  })

  test('a foreign table as a partition', async () => {
    const ddl = `create foreign data wrapper w; create server s foreign data wrapper w;
      create table public.vehicles (id int, is_truck boolean, is_bike boolean) partition by range (id);
      create foreign table public.far partition of public.vehicles default server s;
      alter table public.vehicles alter id set not null`
    await withDatabase(async ({ url, sql }) => {
      await sql.unsafe(ddl)
      const database = connect(url, 'test')
      const rollout = rolloutOf({})
      // Such a table cannot have a unique index.
      await expect(inspectTable(database.state, rollout)).rejects.toThrow(/no primary key/)
      await database.close()
    })
  })

  test('a server that reads backslashes in constants differently', async () => {
    const off = `do $$ begin execute format('alter database %I set standard_conforming_strings = off', current_database()); end $$;`
    await withCheckedTable(off + VEHICLES, {}, ({ faults }) =>
      expect(faults).toEqual([expect.stringMatching(/^standard_conforming_strings is off/)]),
    )
  })

  test('privileges: ownership, also by membership; no bypass of a forced policy; no TEMPORARY', async () => {
    const role = 'agent_of_check'
    const ddl = `do $$ begin create role ${role} login password '${role}'; exception when duplicate_object then null; end $$;
      grant usage, create on schema public to ${role}; ${VEHICLES}`
    try {
      await withCheckedTable(
        ddl,
        {},
        async ({ faults, engine, sql }) => {
          expect(faults[0]).toBe(
            `Role ${role} does not own "public"."vehicles" and all its partitions. Run ALTER TABLE … OWNER TO ${role}.`,
          )
          expect(faults[1]).toMatch(
            /^Cannot create an empty temporary copy of the table.*permission denied for table vehicles/,
          )
          expect(faults).toHaveLength(2)
          expect(await privilegeNotes(engine)).toEqual([
            expect.stringMatching(/is not a member of pg_monitor.*GRANT pg_monitor TO/),
          ])
          expect(await privilegeNotes(sql)).toEqual([])
        },
        role,
      )
      const owned = `${ddl}; alter table public.vehicles owner to ${role};`
      await withCheckedTable(owned, {}, ({ faults }) => expect(faults).toEqual([]), role)
      const ownedBy = (owner: string): string =>
        `${ddl} create role ${owner}; grant create on schema public to ${owner}; alter table public.vehicles owner to ${owner};`
      await withCheckedTable(
        `${ownedBy('owner_of_check')} grant owner_of_check to ${role}`,
        {},
        ({ faults }) => expect(faults).toEqual([]),
        role,
      )
      await withCheckedTable(
        ownedBy('keeper_of_check'),
        {},
        ({ faults }) =>
          expect(faults[0]).toMatch(/OWNER TO agent_of_check, or GRANT keeper_of_check TO agent_of_check\.$/),
        role,
      )
      await withCheckedTable(
        `${owned} alter table public.vehicles enable row level security, force row level security`,
        {},
        ({ faults }) => expect(faults).toEqual([expect.stringMatching(/ALTER ROLE agent_of_check BYPASSRLS/)]),
        role,
      )
      await withCheckedTable(
        `${owned} do $$ begin execute format('revoke temporary on database %I from public', current_database()); end $$`,
        {},
        ({ faults }) =>
          expect(faults).toEqual([
            expect.stringMatching(/^Cannot create an empty temporary copy .*GRANT TEMPORARY ON DATABASE/),
          ]),
        role,
      )
    } finally {
      await withDatabase(({ sql }) => sql.unsafe(`drop role if exists ${role}, owner_of_check, keeper_of_check`))
    }
  })
})

describe('triggers of the application', () => {
  const ddl = `${VEHICLES} create function public.f() returns trigger language plpgsql as 'begin return new; end';
    create trigger touch before update on public.vehicles for each row execute function public.f();
    create trigger "Other One" after update on public.vehicles for each statement execute function public.f();
    create trigger on_kind before update of kind on public.vehicles for each row execute function public.f();
    create trigger on_insert before insert on public.vehicles for each row execute function public.f();
    create trigger off before update on public.vehicles for each row execute function public.f();
    alter table public.vehicles disable trigger off;
    create trigger "~sti_derive" before insert or update on public.vehicles for each row execute function public.f();
    create table public.referring (v bigint references public.vehicles on update cascade);
    create rule noted as on update to public.vehicles do also nothing;`

  test('every trigger that a backfilled row fires must be declared, and no other', async () => {
    await withCheckedTable(ddl, {}, ({ faults, rollout, table }) => {
      expect(faults).toEqual([])
      expect(undeclaredTriggers(rollout, table)).toEqual([
        expect.stringMatching(/^Trigger Other One on public.vehicles fires .*Add "'"Other One"': harmless"/),
        expect.stringMatching(/^Trigger touch on public.vehicles fires .*add "touch: skips"\.$/),
        expect.stringMatching(/^Rule noted on/),
      ])
    })
    await withCheckedTable(
      ddl,
      { triggers: { touch: 'harmless', '"Other One"': 'harmless', noted: 'harmless' } },
      ({ faults, rollout, table }) => {
        expect(faults).toEqual([])
        expect(undeclaredTriggers(rollout, table)).toEqual([])
      },
    )
  })

  test('a declared trigger that does not exist is a fault before expand', async () => {
    await withCheckedTable(VEHICLES, { triggers: { tuch: 'skips' } }, ({ faults }) =>
      expect(faults).toEqual([expect.stringMatching(/Trigger or rule tuch does not exist .*Remove it/)]),
    )
  })

  test('after expand, the application may drop a declared trigger: its declaration is bound, and stays', async () => {
    const touch = `create function touch() returns trigger language plpgsql as 'begin return new; end';
      create trigger touch before update on public.vehicles for each row execute function touch();`
    await withCheckedTable(`${VEHICLES}${touch}`, { triggers: { touch: 'harmless' } }, async (found) => {
      const { rollout, engine, sql } = found
      const { resolution } = (await checkRolloutFile(engine, rollout, found.table, null)).rollout
      await sql`drop trigger touch on public.vehicles`
      const table = await inspectTable(engine, rollout)
      expect((await checkRolloutFile(engine, rollout, table, null)).faults).toHaveLength(1)
      expect((await checkRolloutFile(engine, rollout, table, resolution)).faults).toEqual([])
      await sql`create trigger "~sti_derive" before update on public.vehicles for each row execute function touch()`
      expect(await checkAgainstTable(engine, rollout, await inspectTable(engine, rollout))).toEqual([])
    })
  })
})

test('queries are planned; those on the new column only once it exists', async () => {
  const checks = (violations: string) => ({ checks: [{ name: 'c', violations }], backup: { query: 'select now();' } })
  const typed = "select id from public.vehicles v where v.type = 'Truck' and axles is null;"
  await withCheckedTable(VEHICLES, checks(typed), ({ faults }) => expect(faults).toEqual([]))
  await withCheckedTable(`${VEHICLES} alter table public.vehicles add type text`, checks(typed), ({ faults }) =>
    expect(faults).toEqual([]),
  )
  await withCheckedTable(VEHICLES, checks('select id from public.vehicles where axels is null'), ({ faults }) =>
    expect(faults).toEqual([expect.stringMatching(/^Cannot plan the query of check c: column "axels" does not exist/)]),
  )
  await withCheckedTable(
    VEHICLES,
    { signals: [{ name: 's', sql: 'select depth from nowhere', limit: 1 }] },
    ({ faults }) =>
      expect(faults).toEqual([
        expect.stringMatching(/^Cannot plan the query of signal s: relation "nowhere" does not exist/),
      ]),
  )
})
