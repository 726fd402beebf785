import { setTimeout as sleep } from 'node:timers/promises'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { removeArchive } from '../../agent/src/columnDrop/archive/removeArchive.ts'
import { exportArchive } from '../../agent/src/columnDrop/archive/exportArchive.ts'
import { runArchive } from '../../agent/src/columnDrop/archive/runArchive.ts'
import { isConnectionError } from '../../agent/src/database/errors.ts'
import { claimOperationLane } from '../../agent/src/engine/lane.ts'
import type { RolloutFacts } from '../../agent/src/kind/facts.ts'
import { readColumnDependents, planRevert } from '../../agent/src/rollback/revertPlan.ts'
import { revertChanges, changesToRevert } from '../../agent/src/rollback/revertChanges.ts'
import { withColumnDropEnvironment, type ColumnDropEnvironment } from './testEnvironment.ts'
import { rolloutFile } from './tableShapes.ts'

const FILE = rolloutFile({ name: '', create: '', more: ['note'] })
const TABLE = `create table app.things (id int primary key, is_a boolean not null, is_b boolean not null, note text);
  insert into app.things select n, n % 3 = 0, n % 3 = 1, 'note ' || n from generate_series(1, 3000) n`

const withArchive = (
  use: (ground: ColumnDropEnvironment) => Promise<void>,
  create = TABLE,
  file = FILE,
): Promise<void> =>
  withColumnDropEnvironment(create, file, async (ground) => {
    await ground.keepArchive()
    await use(ground)
  })

const EQUAL_STATE = { complete: true, equal: true, faults: [] }

test('the archive follows every write, including changes of the key', async () => {
  await withArchive(async ({ sql, archiveState: state }) => {
    await sql`delete from app.things where id % 7 = 0`
    await sql`update app.things set id = id + 10000 where id % 7 = 1`
    await sql`insert into app.things (id, type, note) values (10, 'B', 'new') on conflict (id) do update set note = 'again', type = 'A'`
    await sql`merge into app.things t using (select 7 as id) s on t.id = s.id when not matched then insert (id, is_a, is_b) values (7, true, false)`
    await sql
      .unsafe(
        `begin; update app.things set note = 'lost'; savepoint a; delete from app.things; rollback to a; rollback`,
      )
      .catch(() => undefined)
    expect(await state()).toMatchObject(EQUAL_STATE)
    await sql`truncate app.things`
    await sql`insert into app.things (id, is_a, is_b) values (1, true, false)`
    expect(await state()).toMatchObject({ ...EQUAL_STATE, comparison: { rows: 1, archivedRows: 1 } })
  })
})

test('a row that another trigger changes is archived in its final state', async () => {
  const triggers = `create function app.chain() returns trigger language plpgsql as $$ begin
      update app.things set note = coalesce(note, '') || '!' where id = new.id + 1 and pg_trigger_depth() < 3; return null; end $$;
    create trigger "a_chain" after update on app.things for each row execute function app.chain()`
  await withArchive(
    async ({ sql, archiveState: state }) => {
      await sql`update app.things set note = 'all' where id <= 20`
      await sql`update app.things set note = 'some' where id in (5, 6, 7)`
      expect(await state()).toMatchObject(EQUAL_STATE)
    },
    `${TABLE}; ${triggers}`,
    `${FILE}triggers: { a_chain: harmless }\n`,
  )
})

test('the archive follows rows that are inserted, updated, or deleted while it is created', async () => {
  await withColumnDropEnvironment(
    TABLE.replace('3000', '20000'),
    FILE,
    async ({ sql, keepArchive: keep, archiveState: state }) => {
      let writing = true
      const write = async (from: number): Promise<void> => {
        for (let n = from; writing; n += 3) {
          await sql`update app.things set note = 'w' || ${n}::int where id = ${(n * 7919) % 20000}`
          await sql`delete from app.things where id = ${(n * 104729) % 20000}`
          await sql`insert into app.things (id, is_a, is_b) values (${30000 + n}, ${n % 2 === 0}, false)`
          await sql`update app.things set id = -id where id = ${(n * 15485863) % 20000}`
        }
      }
      const writers = [1, 2, 3].map(write)
      const manifest = await keep()
      writing = false
      await Promise.all(writers)
      expect(manifest).toMatchObject({ verified: { differing: 0 } })
      expect(await state()).toMatchObject(EQUAL_STATE)
    },
  )
})

test('a write past the triggers is found, and the next preparation repairs it', async () => {
  await withArchive(async ({ sql, archiveState: state, newRun: another, table }) => {
    await sql.unsafe(`alter table app.things disable trigger "~sti_archive";
      alter table app.things disable trigger "~sti_archive_update"`)
    await sql`update app.things set note = 'past' where id <= 3`
    await sql`delete from app.things where id in (4, 3000)`
    await sql`insert into app.things (id, is_a, is_b) values (5000, true, false)`
    expect(await state()).toMatchObject({ complete: false, equal: null })
    expect((await state()).faults[0]).toMatch(/Trigger "~sti_archive" of the archive does not exist on app.things/)
    await sql.unsafe(`alter table app.things enable always trigger "~sti_archive";
      alter table app.things enable always trigger "~sti_archive_update"`)
    expect(await state()).toMatchObject({ complete: true, equal: false, comparison: { differing: 6 } })
    expect(await runArchive(await another(), await table())).toMatchObject({ verified: { differing: 0 } })
    expect(await state()).toMatchObject(EQUAL_STATE)
  })
})

test('without the archive table, the application can still write, and the archive is incomplete', async () => {
  await withArchive(async ({ sql, archiveState: state, newRun: another, table }) => {
    await sql`drop table sti.columns_things`
    await sql`update app.things set note = 'still' where id = 1`
    expect(await state()).toMatchObject({ complete: false, equal: null })
    await runArchive(await another(), await table())
    expect(await state()).toMatchObject(EQUAL_STATE)
  })
})

test('truncating a partition leaves no ghost rows, and a detached partition is repaired', async () => {
  const create = `create table app.things (id int primary key, is_a boolean not null, is_b boolean not null, note text) partition by range (id);
    create table app.low partition of app.things for values from (0) to (1000); create table app.high partition of app.things default;
    insert into app.things select n, n % 3 = 0, n % 3 = 1, 'note' from generate_series(1, 2000) n`
  await withArchive(async ({ sql, archiveState: state, newRun: another, table }) => {
    await sql`truncate app.low`
    expect(await state()).toMatchObject({ ...EQUAL_STATE, comparison: { rows: 1001, archivedRows: 1001 } })
    await sql`insert into app.things (id, is_a, is_b) values (5, true, false)`
    await sql`update app.things set id = 5000 where id = 5`
    expect(await state()).toMatchObject(EQUAL_STATE)
    await sql`alter table app.things detach partition app.low`
    await sql.unsafe(
      `alter table app.low rename to old; create table app.new partition of app.things for values from (0) to (1000)`,
    )
    expect((await state()).faults[0]).toMatch(/truncate" of the archive does not exist on app.new/)
    await runArchive(await another(), await table())
    expect(await state()).toMatchObject(EQUAL_STATE)
    // The detached partition still has its trigger.
    await removeArchive(await another(), await table())
    expect(await sql`select tgname from pg_trigger where tgname like '~sti_archive%'`).toEqual([])
    await sql`truncate app.old`
  }, create)
})

test('a connection that is lost in the middle of a batch costs only that batch', async () => {
  await withColumnDropEnvironment(
    TABLE.replace('3000', '20000'),
    FILE,
    async ({ sql, keepArchive: keep, archiveState: state }) => {
      let keeping = true
      const killer = (async () => {
        for (let kills = 0; keeping && kills < 6; kills++) {
          await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'sti a archive%'`
          await sleep(40)
        }
      })()
      // Like the runner, claims the operation again after its connection is lost.
      const again = async (): ReturnType<typeof keep> =>
        await keep().catch((error: unknown) => {
          if (isConnectionError(error) || (error as { code?: string }).code === 'fence-lost') return again()
          throw error
        })
      const manifest = await again()
      keeping = false
      await killer
      expect(manifest).toMatchObject({ verified: { rows: 20_000, differing: 0 } })
      expect(await state()).toMatchObject(EQUAL_STATE)
    },
  )
})

test('an agent that lost its lease writes nothing', async () => {
  await withColumnDropEnvironment(TABLE, FILE, async ({ run, table, database, sql }) => {
    let overtaken = false
    const slow = {
      ...run,
      reportProgress: () => {
        if (!overtaken) void claimOperationLane(database.state, run.operation.id, 'other').then(() => undefined)
        overtaken = true
      },
      directive: () => 'continue' as const,
    }
    await expect(runArchive(slow, await table())).rejects.toThrow('another agent has taken over this archive')
    const [row] = await sql<{ done: boolean }[]>`select completed_at is not null as done from sti.column_archive`
    expect(row!.done).toBe(false)
    expect(await runArchive(run, await table())).toMatchObject({ verified: { rows: 3000, differing: 0 } })
  })
})

test('an operator that another role creates for the type of the key does not run in the triggers of the archive', async () => {
  const create = TABLE.replace('id int primary key', 'id varchar(20) primary key').replace(
    'select n, n %',
    'select n::text, n %',
  )
  await withArchive(async ({ sql, url, archiveState: state }) => {
    const writer = `writer_${new URL(url).pathname.slice(1)}`
    await sql.unsafe(`create role ${writer}; grant create, usage on schema public, app to ${writer};
      grant select, insert, update, delete on app.things to ${writer};
      create table public.runs (who text); grant insert on public.runs to ${writer};
      set role ${writer};
      create function public.evil(a varchar, b varchar) returns boolean language plpgsql as $$ begin
        insert into public.runs values (current_user); return a::text = b::text; end $$;
      create operator public.= (leftarg = varchar, rightarg = varchar, procedure = public.evil);
      create operator app.= (leftarg = varchar, rightarg = varchar, procedure = public.evil);
      insert into app.things (id, is_a, is_b) values ('new', true, false);
      update app.things set note = 'x' where id like '1%';
      delete from app.things where id like '2%'; reset role`)
    try {
      expect(await state()).toMatchObject(EQUAL_STATE)
      expect(await sql`select who from public.runs where who <> ${writer}`).toEqual([])
    } finally {
      await sql.unsafe(`drop owned by ${writer} cascade; drop role ${writer}`)
    }
  }, create)
})

test('the export contains every row, and its manifest matches', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sti-export-'))
  try {
    await withArchive(
      async ({ database, rollout, table, sql }) => {
        const path = join(folder, 'things.jsonl.gz')
        const exported = await exportArchive(database, rollout, await table(), path)
        for (const file of [path, `${path}.manifest.json`]) expect((await stat(file)).mode & 0o777).toBe(0o600)
        const bytes = await readFile(path)
        expect(exported).toMatchObject({ rows: 25_000, bytes: bytes.length })
        expect(exported!.sha256).toBe(createHash('sha256').update(bytes).digest('hex'))
        expect(JSON.parse(await readFile(`${path}.manifest.json`, 'utf8'))).toMatchObject({
          rollout: 'things',
          rows: 25_000,
          sha256: exported!.sha256,
          columns: [
            { name: 'id', type: 'integer', key: true },
            { name: 'is_a', type: 'boolean', key: false },
            { name: 'is_b', type: 'boolean', key: false },
            { name: 'note', type: 'text', key: false },
            { name: 'type', type: 'text', key: false },
          ],
        })
        const lines = gunzipSync(bytes).toString('utf8').trimEnd().split('\n')
        const [row] = await sql<{ same: boolean }[]>`
          select count(*) = 25000 and bool_and(to_jsonb(jsonb_populate_record(null::sti.columns_things, line)) = to_jsonb(a)) as same
          from jsonb_array_elements(${`[${lines.join(',')}]`}::text::jsonb) line join sti.columns_things a on a.id = (line->>'id')::int`
        expect(row!.same).toBe(true)
      },
      TABLE.replace('3000', '25000'),
    )
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

test('data rollback and system rollback succeed with an archive and remove it', async () => {
  await withArchive(async ({ sql, database, rollout, run, table, changes }) => {
    const column = async (): Promise<boolean> => (await table()).discriminator !== null
    expect(await readColumnDependents(database.state, rollout)).toEqual([])
    const plan = await planRevert(database.state, rollout, await changes())
    expect(plan.map(({ change, status }) => `${change.kind} ${status}`)).toEqual([
      ...[
        'archive unchanged',
        'archive unchanged',
        'restore unchanged',
        'constraint unchanged',
        'trigger unchanged',
        'trigger unchanged',
        'function unchanged',
        'column unchanged',
      ],
    ])
    const engine = database.engine()
    await revertChanges(run, engine, changesToRevert({ changes: await changes() } as unknown as RolloutFacts, false))
    await engine.end({ timeout: 1 })
    expect(await column()).toBe(false)
    await sql`insert into app.things (id, is_a, is_b) values (9000, true, false)`
    const [left] = await sql`select from pg_trigger where tgname like '~sti_%'`
    expect([left, await changes()]).toEqual([undefined, []])
  })
})

test('removing the archive leaves nothing behind', async () => {
  await withArchive(async ({ sql, run, table }) => {
    await removeArchive(run, await table())
    // Run again after a crash: the transaction had committed.
    await removeArchive(run, await table())
    const [left] = await sql<{ left: number }[]>`
      select (select count(*) from pg_trigger where tgname like '~sti_archive%') + (select count(*) from sti.column_archive)
        + (select count(*) from pg_proc where proname = 'keep_things') + (select count(*) from sti.change where kind = 'archive' and reverted_at is null) as left`
    expect(Number(left!.left)).toBe(0)
    expect((await table()).triggers.map((trigger) => trigger.name)).toEqual(['~sti_complete', '~sti_derive'])
  })
})
