import type postgres from 'postgres'
import { expect, test } from 'vitest'
import { withAgent, type TestAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { withSession } from '../support/faultInjection.ts'
import { QUIET_LOG, requestRefused } from '../support/operations.ts'

const FILE = `rollout: vans
table: public.vans
types:
  - { name: Truck, when: "kind = 'truck' or length(kind) > 30", restore: { kind: "'truck'" } }
otherwise: { name: Car, restore: { kind: "'car'" } }
legacyColumns: [kind]
flag: { key: vans-sti }
validation: { requires: [integrity] }
`
const TABLE = `create table public.vans (id varchar(20) primary key, kind varchar(20) not null, n int);
  insert into public.vans select 'v' || i, case when i % 2 = 0 then 'truck' else 'car' end, i from generate_series(1, 200) i`

/** A role that may create objects in the schema of the table, and a table that names who ran its code. */
async function withWriter(
  table: string,
  use: (own: { url: string; sql: postgres.Sql; writer: string }) => Promise<void>,
): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    const writer = `writer_${new URL(url).pathname.slice(1)}`
    await sql.unsafe(`${table}; create role ${writer} login; grant create, usage on schema public to ${writer};
      grant select, insert, update, delete on all tables in schema public to ${writer};
      create table public.runs (who text); grant select, insert on public.runs to ${writer}`)
    try {
      await use({ url, sql, writer })
    } finally {
      await sql.unsafe(`reassign owned by ${writer} to current_user; drop owned by ${writer}; drop role ${writer}`)
    }
  })
}

const evilBody = (result: string): string => `begin
    insert into public.runs values (current_user);
    begin execute 'update sti.flag set enabled = true, percentage = 100'; exception when others then null; end;
    return ${result}; end`

/** What a role with CREATE on a schema can make to be found in place of what PostgreSQL has. */
const SHADOWS: [string, string][] = [
  [
    'an operator that fits the column better',
    `create function public.evil_eq(a varchar, b varchar) returns boolean language plpgsql volatile as $f$ ${evilBody('a::text = b::text')} $f$;
     create operator public.= (leftarg = varchar, rightarg = varchar, procedure = public.evil_eq)`,
  ],
  [
    'operators of the order of the key',
    `create function public.evil_le(a varchar, b varchar) returns boolean language plpgsql volatile as $f$ ${evilBody('a::text <= b::text')} $f$;
     create operator public.<= (leftarg = varchar, rightarg = varchar, procedure = public.evil_le);
     create operator public.> (leftarg = varchar, rightarg = varchar, procedure = public.evil_le)`,
  ],
  [
    'a function that fits the column better',
    `create function public.length(a varchar) returns int language plpgsql volatile as $f$ ${evilBody('1')} $f$`,
  ],
  [
    'a type with the name of one of PostgreSQL, and a cast from it',
    `create domain public.text as int; create type public.varchar as enum ('truck');
     create function public.evil_cast(a public.varchar) returns pg_catalog.text language plpgsql volatile as $f$ ${evilBody(`'truck'`)} $f$;
     create cast (public.varchar as pg_catalog.text) with function public.evil_cast(public.varchar) as implicit`,
  ],
]

async function rollOut(agent: TestAgent): Promise<void> {
  await agent.run('expand')
  await agent.run('backfill')
  await agent.run('validation')
  await agent.run('finalize')
}

test.each(SHADOWS)('after expand, %s changes nothing and never runs as the agent', async (_, shadow) => {
  await withWriter(TABLE, async ({ url, sql, writer }) => {
    await withAgent(
      url,
      FILE,
      async (agent) => {
        await rollOut(agent)
        await withSession(url, async (session) => {
          await session.unsafe(`set role ${writer}; ${shadow}`)
          await session`insert into public.vans (id, kind) values ('new', 'truck')`
          await session`update public.vans set kind = 'car' where id = 'v2'`
          await session`update public.vans set type = 'Truck' where id = 'v1'`
        })
        const validation = await agent.run('validation')
        expect(validation.result).toMatchObject({ verdict: 'pass', coverage: 1 })
        await agent.run('rehearsal', { sample: 100 })
        await agent.run('rollback', { scope: 'data', confirm: 'vans' })
        const [flag] = await sql`select enabled from sti.flag`
        expect(flag?.['enabled'] ?? false).toBe(false)
        expect(await sql`select who from public.runs where who <> ${writer}`).toEqual([])
      },
      QUIET_LOG,
    )
  })
})

test.each(SHADOWS.filter(([what]) => !what.includes('order of the key') && !what.includes('a type')))(
  'before expand, %s is refused with its owner, and does not run',
  async (_, shadow) => {
    await withWriter(TABLE, async ({ url, sql, writer }) => {
      await sql.unsafe(`set role ${writer}; ${shadow}; reset role`)
      await withAgent(
        url,
        FILE,
        async (agent) => {
          const refused = await requestRefused(agent, 'expand')
          expect(refused).toMatch(
            /^The when of Truck uses (function|operator) public\.\S+\(.*\), which belongs to role writer_/,
          )
          expect(refused).toContain('OWNER TO the owner of the table')
          expect(await sql`select who from public.runs`).toEqual([])
        },
        QUIET_LOG,
      )
    })
  },
)

test('operators of citext and an enum keep their meaning, have their schema in every statement, and are named', async () => {
  const table = `create extension citext with schema public; create schema app; create type app.size as enum ('small', 'big');
    create table app.vans (code citext primary key, kind citext, size app.size not null default 'small', n int);
    insert into app.vans select (array['a','B','c','D'])[1 + i % 4] || i, (array['truck', 'TRUCK', 'car'])[1 + i % 3],
      (array['small','big'])[1 + i % 2]::app.size, i from generate_series(1, 400) i; analyze app.vans`
  const file = `rollout: vans
table: app.vans
discriminator: { dataType: citext }
types:
  - { name: Truck, when: "kind = 'Truck' and size = 'big'", restore: { kind: "'truck'", size: "'big'::size" } }
  - { name: Van, when: "kind = 'truck'", restore: { kind: "'truck'", size: "'small'" } }
otherwise: { name: Car, restore: { kind: "'car'", size: "'small'" } }
legacyColumns: [kind, size]
flag: { key: vans-sti }
validation: { requires: [integrity] }
`
  await withDatabase(async ({ url, sql }) => {
    await sql.unsafe(table)
    await withAgent(url, file, async (agent) => {
      const preview = await agent.preview('expand')
      expect(preview.notes.join('\n')).toContain(
        'The rollout file uses operator public.=(public.citext,public.citext), which belongs to role',
      )
      expect(preview.statements.join('\n')).toContain(`OPERATOR(public.=) 'Truck'::public.citext`)
      await rollOut(agent)
      const expected = `case when lower(kind::text) = 'truck' and size = 'big' then 'Truck'
        when lower(kind::text) = 'truck' then 'Van' else 'Car' end`
      const wrong = (): Promise<unknown> =>
        sql.unsafe(`select code from app.vans where type::text is distinct from ${expected}`)
      expect(await wrong()).toEqual([])
      await sql`insert into app.vans (code, kind, size) values ('x', 'tRuCk', 'big')`
      await sql`update app.vans set type = 'Van' where code = 'x'`
      expect(await sql`select kind::text, size::text from app.vans where code = 'x'`).toEqual([
        { kind: 'truck', size: 'small' },
      ])
      expect(await wrong()).toEqual([])
      expect((await agent.run('validation')).result).toMatchObject({ verdict: 'pass', coverage: 1 })
    })
  })
})

test('what a name means is fixed by expand: it survives a restart of the agent', async () => {
  await withWriter(TABLE, async ({ url, sql, writer }) => {
    await withAgent(url, FILE, (agent) => agent.run('expand'), QUIET_LOG)
    await sql.unsafe(`set role ${writer}; ${SHADOWS[0]![1]}; reset role`)
    await withAgent(url, FILE, async (agent) => {
      expect((await agent.rollout()).faults).toEqual([])
      await agent.run('backfill')
    })
    expect(await sql`select who from public.runs where who <> ${writer}`).toEqual([])
    expect(await sql`select from public.vans where type is null`).toHaveLength(0)
  })
})

test('a query of the rollout file cannot write, whatever its functions set', async () => {
  const sneaky = `create function public.sneaky() returns boolean language plpgsql volatile as $f$ begin
      begin perform set_config('transaction_read_only', 'off', true); exception when others then null; end;
      begin perform set_config('transaction_read_only', 'off', false); exception when others then null; end;
      perform set_config('default_transaction_read_only', 'off', false);
      begin insert into public.runs values ('wrote'); exception when read_only_sql_transaction then null; end;
      return true; end $f$`
  const file = `${FILE}checks:
  - { name: sneaky, violations: "select id from public.vans where n < 3 and public.sneaky()" }
signals:
  - { name: sneaky, sql: "select count(*) from public.vans where n < 3 and public.sneaky()", limit: 1000 }
`.replace('requires: [integrity]', 'requires: [integrity, business]')
  await withWriter(`${TABLE}; ${sneaky}`, async ({ url, sql }) => {
    await withAgent(
      url,
      file,
      async (agent) => {
        await agent.run('expand')
        await agent.run('backfill')
        await agent.run('validation')
        const check = (await agent.rollout()).validation!.checks.find(({ check }) => check === 'sneaky')
        expect(check).toMatchObject({ verdict: 'fail', value: 2 })
        await agent.run('validation')
        expect(await sql`select who from public.runs`).toEqual([])
      },
      QUIET_LOG,
    )
  })
})

test('a query of the rollout file that finds code of another role is refused, and its code does not run', async () => {
  const file = `${FILE}checks:
  - { name: kinds, violations: "select id from public.vans where kind = 'none'" }
`.replace('requires: [integrity]', 'requires: [integrity, business]')
  await withWriter(TABLE, async ({ url, sql, writer }) => {
    await withAgent(
      url,
      file,
      async (agent) => {
        await agent.run('expand')
        await agent.run('backfill')
        await sql.unsafe(`set role ${writer}; ${SHADOWS[0]![1]}; reset role`)
        await agent.run('validation')
        const check = (await agent.rollout()).validation!.checks.find(({ check }) => check === 'kinds')
        expect(check).toMatchObject({
          verdict: 'error',
          detail: expect.stringContaining('public.=(character varying,character varying), which belongs to role'),
        })
        expect(await sql`select who from public.runs`).toEqual([])
      },
      QUIET_LOG,
    )
  })
})
