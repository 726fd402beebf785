import { expect, test } from 'vitest'
import type { RolloutDetail } from '../../agent/src/contract/index.ts'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { withSession } from '../support/faultInjection.ts'
import { QUIET_LOG, requestRefused } from '../support/operations.ts'
import { waitFor } from '../support/waitFor.ts'

const TABLE = `create table public.things (id int primary key, is_a boolean not null default false, kind text default 'o', note text);
  insert into public.things select n, n % 3 = 0, case when n % 2 = 0 then 'A' else 'o' end from generate_series(1, 200) n`

/** The first one cannot raise, so its trigger has a WHEN clause; the second one may. */
const COMPARISON = `rollout: things
table: public.things
types: [{ name: A, when: is_a, restore: { is_a: true } }]
otherwise: { name: Other, restore: { is_a: false } }
legacyColumns: [is_a]
flag: { key: things }
validation: { requires: [integrity] }
`
const FUNCTION_CALL = COMPARISON.replace(
  'when: is_a, restore: { is_a: true }',
  `when: "lower(kind) = 'a'", restore: { kind: "'a'" }`,
)
  .replace('restore: { is_a: false }', `restore: { kind: "'o'" }`)
  .replace('[is_a]', '[kind]')

const CHANGES = [
  [
    'a column that the WHEN clause reads is renamed',
    COMPARISON,
    'alter table things rename column is_a to truck',
    /Column is_a was renamed to truck .*RENAME COLUMN "truck" TO "is_a"/,
    ['update things set truck = not truck', 'insert into things (id, truck) values ($id, true)'],
  ],
  [
    'a column is renamed',
    FUNCTION_CALL,
    'alter table things rename column kind to sort',
    /Column kind was renamed to sort .*RENAME COLUMN "sort" TO "kind"/,
    [`update things set sort = 'a'`, `insert into things (id, sort) values ($id, 'A')`],
  ],
  [
    'a column is dropped',
    FUNCTION_CALL,
    'alter table things drop column kind',
    /Column kind was dropped .*ADD COLUMN "kind" text; UPDATE .* SET "kind" = CASE "type" WHEN 'A' THEN 'a' WHEN 'Other' THEN 'o' END/,
    [],
  ],
  [
    'a column is retyped',
    FUNCTION_CALL,
    'alter table things alter kind drop default, alter kind type int using 1',
    /Column kind was changed from text to integer .*TYPE text/,
    ['update things set kind = 2', 'insert into things (id, kind) values ($id, 3)'],
  ],
] as const

const NEUTRAL_WRITES = [
  `update things set note = 'n'`,
  `update things set type = 'A' where id < 20`,
  `update things set type = 'Other' where id < 20`,
  'insert into things (id) values ($id)',
  `insert into things (id, type) values ($id, 'A')`,
]

test.each(
  CHANGES.flatMap((change) => (['expanded', 'finalized'] as const).map((stage) => [stage, ...change] as const)),
)(
  '%s: %s: no write fails, status and validation name it, and its statement restores the rollbacks',
  async (stage, _, file, ddl, sentence, writes) => {
    await withDatabase(async ({ url, sql }) => {
      await sql.unsafe(TABLE)
      await withAgent(
        url,
        file,
        async (agent) => {
          for (const kind of ['expand', 'backfill', 'validation'] as const) await agent.run(kind)
          if (stage === 'finalized') {
            await agent.run('finalize')
            await agent.run('flag', { enabled: true })
          }
          await sql.unsafe(ddl)
          let id = 1_000
          for (const write of [...writes, ...NEUTRAL_WRITES]) await sql.unsafe(write.replace('$id', String(++id)))
          const detail = await waitFor('it is named', async () => {
            const found = await agent.get<RolloutDetail>('/v1/rollouts/things')
            return found.faults.some((fault) => sentence.test(fault)) && found
          })
          expect(detail.stage).not.toBe('dropped')
          for (const { scope, ready, reasons } of detail.rollbackReady)
            if (scope === 'data' || scope === 'system') {
              expect(ready).toBe(false)
              expect(reasons.join()).toMatch(sentence)
            } else expect(ready, scope).toBe(true)
          expect(await requestRefused(agent, 'validation')).toMatch(sentence)
          expect(await requestRefused(agent, 'rollback', { scope: 'data', confirm: 'things' })).toMatch(sentence)
          if (stage === 'finalized') await agent.run('flag', { enabled: false })
          const fault = detail.faults.find((one) => sentence.test(one))!
          const statements = /Run ((?:BEGIN; )?ALTER .*?)(?:, or turn|\.$)/.exec(fault)![1]!
          await withSession(url, (session) => session.unsafe(statements))
          await agent.run('rollback', { scope: 'data', confirm: 'things', full: true })
          expect(await sql`select from pg_attribute where attrelid = 'things'::regclass and attname = 'type'`).toEqual(
            [],
          )
        },
        QUIET_LOG,
      )
    })
  },
)

test('the owner of the table creates and attaches partitions during the rollout, and the preview says what they need', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(`
      do $$ begin create role sti_test_owner; exception when duplicate_object then null; end $$;
      grant create on schema public to sti_test_owner;
      create table public.things (id int, day date, is_a boolean not null default false, primary key (id, day)) partition by range (day);
      create table things_1 partition of things for values from ('2024-01-01') to ('2024-02-01');
      insert into things select n, date '2024-01-02', n % 3 = 0 from generate_series(1, 100) n;
      alter table things owner to sti_test_owner; alter table things_1 owner to sti_test_owner`)
    await withAgent(
      url,
      COMPARISON,
      async (agent) => {
        const { notes } = await agent.preview('expand')
        expect(notes.join('\n')).toMatch(/do not rename, retype, or drop type, is_a/)
        expect(notes.join('\n')).toMatch(/attached as a partition needs the column "type" text/)
        for (const kind of ['expand', 'backfill', 'validation', 'finalize'] as const) await agent.run(kind)
        // One text is one transaction, which ends the role.
        await sql.unsafe(`set local role sti_test_owner;
          create table things_2 partition of things for values from ('2024-02-01') to ('2024-03-01');
          create table things_3 (like things including defaults including constraints);
          alter table things attach partition things_3 for values from ('2024-03-01') to ('2024-04-01');
          insert into things (id, day, is_a) select n, date '2024-02-02' + 30 * (n % 2), true from generate_series(201, 220) n`)
        expect(await sql`select distinct type from things where id > 200`).toEqual([{ type: 'A' }])
        expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass' })
        await agent.run('rollback', { scope: 'data', confirm: 'things', full: true })
      },
      QUIET_LOG,
    )
    await sql.unsafe('drop table things; drop owned by sti_test_owner')
  })
})

const SWAP = `begin; alter table things rename to things_old; create table things (like things_old including all);
  insert into things select * from things_old; commit`

test.each(['expanded', 'finalized'] as const)(
  '%s: the table is replaced by a copy of its name: it can be rolled back at once, or taken the whole way again',
  async (stage) => {
    for (const again of [false, true])
      await withDatabase(async ({ url, sql }) => {
        await sql.unsafe(TABLE)
        await withAgent(
          url,
          COMPARISON,
          async (agent) => {
            for (const kind of ['expand', 'backfill', 'validation'] as const) await agent.run(kind)
            if (stage === 'finalized') await agent.run('finalize')
            await withSession(url, (session) => session.unsafe(SWAP))
            await sql`update things set is_a = not is_a where id = 7`
            await sql`update things_old set is_a = not is_a where id = 7`
            if (again) {
              // The first validation cannot compare its rows with those of another table.
              for (const kind of ['expand', 'backfill', 'validation', 'validation'] as const) await agent.run(kind)
              const { id } = await agent.request('finalize')
              if (stage === 'finalized') {
                const { error } = await agent.waitForEnd(id)
                const rename = /Run (ALTER INDEX .* RENAME TO) another name, then resume/.exec(String(error))![1]!
                await sql.unsafe(`${rename} earlier_idx`)
                expect((await agent.post(`/v1/operations/${id}/resume`, {})).status).toBe(202)
              }
              expect(await agent.waitForEnd(id)).toMatchObject({ state: 'succeeded' })
              expect((await agent.rollout()).faults).toEqual([])
              await sql`update things set type = 'A' where id = 8`
              expect(await sql`select is_a from things where id = 8`).toEqual([{ is_a: true }])
            }
            await agent.run('rollback', { scope: 'data', confirm: 'things', full: true })
            expect(
              await sql`select relname::text from pg_trigger join pg_class c on c.oid = tgrelid
              where tgname like '~sti%' or tgfoid in (select oid from pg_proc where pronamespace = 'sti'::regnamespace)`,
            ).toEqual([])
            expect(
              await sql`select from pg_proc where proname ~ '^(derive|move)' and pronamespace = 'sti'::regnamespace`,
            ).toEqual([])
            expect(
              await sql`select from pg_attribute where attrelid = 'things'::regclass and attname = 'type'`,
            ).toEqual([])
          },
          QUIET_LOG,
        )
      })
  },
)

test('a fault with a cause outside of the table is gone once its cause is', async () => {
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(`${TABLE};
      create function no_ddl() returns event_trigger language plpgsql as 'begin raise exception ''no changes on Fridays''; end';
      create event trigger no_ddl on ddl_command_start when tag in ('ALTER TABLE') execute function no_ddl()`)
    await withAgent(
      url,
      COMPARISON,
      async (agent) => {
        const refusal = await requestRefused(agent, 'expand')
        expect(refusal).toMatch(
          /temporary copy of the table to check the file: no changes on Fridays\. .*in PL\/pgSQL function (public\.)?no_ddl\(\)/,
        )
        expect(refusal).not.toMatch(/data type|GRANT/)
        await sql`drop event trigger no_ddl`
        await waitFor('the fault is gone', async () => (await agent.rollout()).faults.length === 0)
        await agent.run('expand')
      },
      QUIET_LOG,
    )
  })
})
