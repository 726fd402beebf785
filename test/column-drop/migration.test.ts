import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'
import { expect, test } from 'vitest'
import { migrationRefusals } from '../../agent/src/columnDrop/migration/migrationNotes.ts'
import { wrapInTransaction, renderMigrationFiles } from '../../agent/src/columnDrop/migration/migrationFiles.ts'
import { withSession } from '../support/faultInjection.ts'
import { withDatabase } from '../support/database.ts'
import { withColumnDropEnvironment, type ColumnDropEnvironment } from './testEnvironment.ts'
import { rolloutFile } from './tableShapes.ts'

const FILE = rolloutFile({ name: '', create: '' })
const TABLE = `create table app.things (id int primary key, is_a boolean not null, is_b boolean not null, note text);
  insert into app.things select n, n % 3 = 0, n % 3 = 1, 'note ' || n from generate_series(1, 100) n`

async function runScript(url: string, text: string): Promise<string[]> {
  const notices: string[] = []
  const sql = postgres(url, { max: 1, onnotice: ({ message }) => notices.push(String(message)) })
  try {
    await sql.unsafe(wrapInTransaction(text))
    return notices
  } finally {
    await sql.end({ timeout: 1 })
  }
}

const countRowsWithTable = async ({ sql }: ColumnDropEnvironment): Promise<number> => {
  const [row] = await sql<{ there: number }[]>`select count(*)::int as there from pg_attribute
    where attrelid = 'app.things'::regclass and attname in ('is_a', 'is_b')`
  return row!.there
}

const DISTURBED_CASES: readonly [string, string, RegExp][] = [
  [
    'a row differs',
    `update sti.columns_things set is_a = not is_a where id = 5`,
    /1 rows of the archive differ from the table/,
  ],
  ['a row is missing', `delete from sti.columns_things where id = 5`, /1 rows of the archive differ/],
  [
    'the archive has a ghost row',
    `insert into sti.columns_things values (500, true, false, 'A')`,
    /1 rows of the archive differ/,
  ],
  ['the flag is off', `update sti.flag set enabled = false`, /the flag is not at 100%/],
  ['the flag is at a partial percentage', `update sti.flag set percentage = 50`, /the flag is not at 100%/],
  ['the archive is incomplete', `update sti.column_archive set completed_at = null`, /no complete archive/],
  [
    'the archive is from before a drop',
    `update sti.column_archive set dropped_at = now(), restored_at = now()`,
    /no complete archive/,
  ],
  ['the archive table is dropped', `drop table sti.columns_things`, /no complete archive/],
  [
    'a trigger is disabled',
    `alter table app.things disable trigger "~sti_archive"`,
    /triggers of the archive are missing or disabled/,
  ],
  [
    'a trigger is dropped',
    `drop trigger "~sti_archive_update" on app.things`,
    /triggers of the archive are missing or disabled/,
  ],
  [
    'an index was added',
    `create index later on app.things (is_a)`,
    /objects that depend on the legacy columns have changed/,
  ],
  [
    'a default was added',
    `alter table app.things alter column is_a set default true`,
    /objects that depend on the legacy columns have changed/,
  ],
  [
    'a view was added',
    `create view app.v as select is_a from app.things`,
    /objects that depend on the legacy columns have changed/,
  ],
  ['a column is dropped', `alter table app.things drop column is_b cascade`, /some of the legacy columns are dropped/],
]

test('what PostgreSQL numbers the versions of a column with is not copied to the restored column', async () => {
  const create = `${TABLE}; alter table app.things alter column is_a set (n_distinct = 2);
    update pg_attribute set attoptions = array_prepend('pg_attver=7', attoptions)
      where attrelid = 'app.things'::regclass and attnum > 0`
  await withColumnDropEnvironment(create, FILE, async (ground) => {
    await ground.keepArchive()
    const { down } = await ground.migration()
    expect(down).toContain('set (n_distinct=2)')
    expect(down).not.toContain('pg_attver')
  })
})

test('up drops nothing if a precondition is violated', async () => {
  await withColumnDropEnvironment(TABLE, FILE, async (ground) => {
    await ground.keepArchive()
    const { up } = await ground.migration()
    for (const [what, disturb, refusal] of DISTURBED_CASES) {
      // Both run in one transaction, which the refusal rolls back completely.
      const sql = postgres(ground.url, { max: 1, onnotice: () => undefined })
      const answer = await sql.unsafe(`begin; ${disturb}; ${up}`).catch(String)
      await sql.end({ timeout: 1 })
      expect({ what, answer }).toEqual({ what, answer: expect.stringMatching(refusal) })
      expect(await countRowsWithTable(ground)).toBe(2)
    }
    await runScript(ground.url, up)
    expect(await countRowsWithTable(ground)).toBe(0)
  })
})

test('up retries the lock, and names the sessions that hold it if it gives up', async () => {
  await withColumnDropEnvironment(TABLE, FILE, async (ground) => {
    await ground.keepArchive()
    const { up } = await ground.migration()
    await withSession(ground.url, async (session) => {
      await session.unsafe(`begin; lock table app.things in share mode`)
      const going = runScript(ground.url, up)
      // Other sessions can use the table in the meantime.
      for (let n = 0; n < 10; n++) {
        await sleep(100)
        await ground.sql`select count(*) from app.things`
      }
      expect(await countRowsWithTable(ground)).toBe(2)
      await session.unsafe('commit')
      await going
    })
    expect(await countRowsWithTable(ground)).toBe(0)
  })
})

test('in a database without the agent’s schema, an empty table can be migrated up and down, and a table with rows is refused', async () => {
  await withColumnDropEnvironment(TABLE, FILE, async (ground) => {
    await ground.keepArchive()
    const { up, down } = await ground.migration()
    await withDatabase(async ({ url, sql }) => {
      await sql.unsafe(`create schema app; create table app.things (id int primary key, is_a boolean not null, is_b boolean not null, note text, type text);
        insert into app.things values (1, true, false)`)
      await expect(runScript(url, up)).rejects.toThrow('the table has rows that are not archived')
      await sql`truncate app.things`
      await runScript(url, up)
      await sql`insert into app.things (id, type) values (1, 'B'), (2, 'Other')`
      await runScript(url, down)
      expect(await sql`select id, is_a, is_b from app.things order by id`).toEqual([
        { id: 1, is_a: false, is_b: true },
        { id: 2, is_a: false, is_b: false },
      ])
    })
  })
})

test('rows that no type matches, and rows whose expressions raise errors, are restored', async () => {
  const file = `rollout: things
table: app.things
discriminator: { column: type }
types:
  - { name: Big, when: 100 / size > 10, restore: { size: "5" } }
  - { name: Small, when: 100 / size <= 10, restore: { size: "50" } }
legacyColumns: [size]
flag: { key: things }
`
  const create = `create table app.things (id int primary key, size int); insert into app.things select n, n - 3 from generate_series(1, 60) n where n <> 3`
  await withColumnDropEnvironment(create, file, async (ground) => {
    const { sql, url } = ground
    await ground.keepArchive()
    await sql`insert into app.things (id, size) values (100, 0), (101, null)`
    expect(await ground.archiveState()).toMatchObject({ equal: true })
    const before = await sql`select id, size, type from app.things order by id`
    const { up, down } = await ground.migration()
    await runScript(url, up)
    await sql`insert into app.things (id, type) values (200, 'Small'), (201, null)`
    await runScript(url, down)
    const after = await sql`select id, size, type from app.things order by id`
    expect(after.slice(0, before.length)).toEqual([...before])
    expect(after.slice(before.length)).toEqual([
      { id: 200, size: 50, type: 'Small' },
      { id: 201, size: null, type: null },
    ])
  })
})

test('with restore: none, rows get their archived values, and new rows get the default', async () => {
  const file = `rollout: things
table: app.things
discriminator: { column: type }
types: [{ name: A, when: is_a }]
otherwise: { name: Other }
restore: none
acceptLostWrites: true
legacyColumns: [is_a]
flag: { key: things }
`
  const create = `create table app.things (id int primary key, is_a boolean not null default false); insert into app.things select n, n % 2 = 0 from generate_series(1, 10) n`
  await withColumnDropEnvironment(create, file, async (ground) => {
    const { sql, url } = ground
    await ground.keepArchive()
    await sql`update app.things set type = 'A' where id = 1`
    expect(await ground.archiveState()).toMatchObject({ equal: true })
    const { up, down, notes } = await ground.migration()
    expect(notes.join(' ')).toMatch(/restore: none/)
    await runScript(url, up)
    await sql`update app.things set type = 'A' where id = 3`
    await sql`insert into app.things (id, type) values (20, 'A')`
    await runScript(url, down)
    expect(await sql`select id, is_a, type from app.things where id in (1, 2, 3, 20) order by id`).toEqual([
      { id: 1, is_a: false, type: 'A' },
      { id: 2, is_a: true, type: 'A' },
      { id: 3, is_a: false, type: 'A' },
      { id: 20, is_a: false, type: 'A' },
    ])
  })
})

test('after the undo, defaults are as before, and new rows of every type get its restore values, also bit by bit', async () => {
  const file = `rollout: things
table: app.things
types: [{ name: A, when: (bits & 4) <> 0, restore: { bits: { sql: "bits | 4" }, flag: true } }]
otherwise: { name: B, restore: { bits: { sql: "bits & ~4" }, flag: false } }
legacyColumns: [bits, flag]
flag: { key: things }
`
  const create = `create table app.things (id int primary key, bits int not null default 3, flag boolean);
    insert into app.things select n, n, (n & 4) <> 0 from generate_series(0, 15) n`
  await withColumnDropEnvironment(create, file, async (ground) => {
    const { sql, url } = ground
    const defaults = async () =>
      (await ground.table()).columns.map(({ name, default: value }) => [name, value]).toSorted()
    const before = await defaults()
    await ground.keepArchive()
    const { up, down } = await ground.migration()
    await runScript(url, up)
    await sql`update app.things set type = case type when 'A' then 'B' else 'A' end where id in (7, 8)`
    await sql`insert into app.things (id, type) values (20, 'A'), (21, 'B')`
    await runScript(url, down)
    expect(await defaults()).toEqual(before)
    await sql`insert into app.things (id, type) values (30, 'A'), (31, 'B')`
    expect(
      await sql`select id, bits, flag, type from app.things where id in (5, 7, 8) or id >= 20 order by id`,
    ).toEqual([
      { id: 5, bits: 5, flag: true, type: 'A' },
      { id: 7, bits: 3, flag: false, type: 'B' },
      { id: 8, bits: 12, flag: true, type: 'A' },
      { id: 20, bits: 7, flag: true, type: 'A' },
      { id: 21, bits: 3, flag: false, type: 'B' },
      { id: 30, bits: 7, flag: true, type: 'A' },
      { id: 31, bits: 3, flag: false, type: 'B' },
    ])
  })
})

test('the undo does not depend on rows that were deleted after the drop: the foreign key is NOT VALID, and a warning says so', async () => {
  const create = `create table app.owners (id int primary key); insert into app.owners select generate_series(0, 9);
    create table app.things (id int primary key, is_a boolean not null, is_b boolean not null, note text, owner int constraint known references app.owners on delete cascade);
    insert into app.things select n, n % 3 = 0, n % 3 = 1, 'n', n % 10 from generate_series(1, 20) n; comment on constraint known on app.things is 'c'`
  const file = rolloutFile({ name: '', create: '', more: ['owner'] })
  await withColumnDropEnvironment(create, file, async (ground) => {
    const { sql, url } = ground
    await ground.keepArchive()
    const { up, down, notes } = await ground.migration()
    expect(notes.join(' ')).toContain('the undo adds known as NOT VALID')
    await runScript(url, up)
    await sql`delete from app.owners where id = 3`
    const warnings = await runScript(url, down)
    expect(await sql`select count(*)::int as rows, count(owner)::int as owners from app.things`).toEqual([
      { rows: 20, owners: 20 },
    ])
    expect(warnings.filter((message) => message.startsWith('foreign key'))).toEqual([
      'foreign key "known" of app.things is NOT VALID: rows reference rows that were deleted after the drop. Correct them, then run: alter table app.things validate constraint "known"',
    ])
    const constraint = () =>
      sql`select convalidated, obj_description(oid) as comment from pg_constraint where conname = 'known'`
    expect(await constraint()).toEqual([{ convalidated: false, comment: 'c' }])
    await expect(sql`insert into app.things (id, is_a, is_b, owner) values (99, true, false, 3)`).rejects.toMatchObject(
      { code: '23503' },
    )
    await sql`update app.things set owner = null where owner = 3`
    await sql.unsafe(warnings.find((message) => message.startsWith('foreign key'))!.split('then run: ')[1]!)
    expect(await constraint()).toEqual([{ convalidated: true, comment: 'c' }])
  })
})

test('a column that would have no value for new rows is refused', async () => {
  const file = rolloutFile({ name: '', create: '', more: ['code'] })
  const create = TABLE.replace('note text', 'note text, code text not null')
    .replace('insert into app.things', 'insert into app.things (id, is_a, is_b, note, code)')
    .replace(`'note ' || n`, `'note ' || n, 'c'`)
  await withColumnDropEnvironment(create, file, async ({ rollout, table, catalog }) => {
    expect(migrationRefusals(rollout, await table(), await catalog())).toEqual([
      'Column "code" is NOT NULL and has no default, and restore of A, B, Other gives it no value: the undo could not restore a row that new code inserts after the drop. Set the column in restore, or give it a default.',
    ])
  })
  await withColumnDropEnvironment(TABLE, FILE, async ({ rollout, table, catalog }) => {
    expect(migrationRefusals(rollout, await table(), await catalog())).toEqual([])
  })
})

test('blocking objects are named, with the columns that they use', async () => {
  const create = `${TABLE}; create view app.seen as select id, is_a from app.things;
    create table app.twice (a boolean, b boolean, c boolean generated always as (a) stored);
    alter table app.things add column either boolean generated always as (is_a or is_b) stored;
    alter table app.things add constraint pair unique (id, is_b);
    create table app.child (id int, flag boolean, foreign key (id, flag) references app.things (id, is_b));
    create policy flags on app.things using (is_a);
    create publication some_columns for table app.things (id, is_b);
    create function app.count_a() returns bigint language sql stable begin atomic select count(*) from app.things where is_a; end;
    create function app.nothing() returns trigger language plpgsql as $$ begin return new; end $$;
    create trigger on_flag after update of is_b on app.things for each row execute function app.nothing()`
  await withColumnDropEnvironment(
    create,
    `${FILE}publication: subscriber-ready\ntriggers: { on_flag: harmless }\n`,
    async ({ catalog }) => {
      const { blocking } = await catalog()
      const found = blocking.map(({ kind, identity, columns }) => `${kind} ${identity}: ${columns.join(', ')}`)
      expect(found.sort()).toEqual([
        'constraint pair on app.things: is_b',
        'foreign key child_id_flag_fkey on app.child: is_b',
        'function app.count_a(): is_a',
        'generated column app.things.either: is_a, is_b',
        'policy flags on app.things: is_a',
        'publication app.things in publication some_columns: is_b',
        'trigger on_flag on app.things: is_b',
        'view app.seen: is_a',
      ])
    },
  )
})

test('migration files have the format of the project’s own tool', async () => {
  await withColumnDropEnvironment(TABLE, FILE, async (ground) => {
    await ground.keepArchive()
    const migration = await ground.migration()
    const at = new Date(1_700_000_000_000)
    const path = 'db/{timestamp}_{name}.sql'
    const [file] = renderMigrationFiles(migration, { template: 'node-pg-migrate', path }, at)
    expect(file!.path).toBe('db/1700000000000_drop_legacy_columns_of_things.sql')
    // The order in which node-pg-migrate runs them.
    const up = /^\s*--[\s-]*up\s+migration/im
    const down = /^\s*--[\s-]*down\s+migration/im
    expect(file!.text.match(new RegExp(up, 'gim'))).toHaveLength(1)
    expect(file!.text.match(new RegExp(down, 'gim'))).toHaveLength(1)
    expect(renderMigrationFiles(migration, { template: 'plain', path }, at).map((rendered) => rendered.path)).toEqual([
      'db/1700000000000_drop_legacy_columns_of_things.up.sql',
      'db/1700000000000_drop_legacy_columns_of_things.down.sql',
    ])
  })
})
