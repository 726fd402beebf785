import { expect, test } from 'vitest'
import { withDatabase } from '../../../test/support/database.ts'
import { connect } from '../database/connect.ts'
import { checkGroup, type GroupCheck } from './checkGroup.ts'
import { compileRollout } from './compileRollout.ts'

const FILE = {
  rollout: 'vehicles',
  types: [{ name: 'Truck', when: 'is_truck', restore: { is_truck: true } }],
  otherwise: { name: 'Car', restore: { is_truck: false } },
  legacyColumns: ['is_truck'],
  flag: { key: 'vehicles' },
}

async function withTenants(
  use: (check: (table: unknown) => Promise<GroupCheck>, ddl: (text: string) => Promise<unknown>) => Promise<void>,
): Promise<void> {
  await withDatabase(async ({ url, sql }) => {
    for (let i = 1; i <= 12; i++)
      await sql.unsafe(`create schema tenant_${i};
        create table tenant_${i}.vehicles (id bigint primary key, is_truck boolean not null, name text)`)
    const database = connect(url, 'test')
    try {
      await use(
        async (table) => {
          const { group, faults } = compileRollout('v.yaml', JSON.stringify({ ...FILE, table }))
          if (!group) throw new Error(faults.join('\n'))
          return await checkGroup(database.engine(), group)
        },
        (text) => sql.unsafe(text),
      )
    } finally {
      await database.close()
    }
  })
}

test('a pattern, a list and a query find the same tables, sorted, without partitions and views', async () => {
  await withTenants(async (check, ddl) => {
    await ddl(`create schema tenantless; create table tenantless.vehicles (id int);
      create schema tenant_v; create view tenant_v.vehicles as select 1;
      create table public.tenants (name text); insert into public.tenants values ('tenant_2'), ('tenant_11')`)
    const all = await check('tenant_*.vehicles')
    expect(all).toMatchObject({ kinds: 1, differences: [], faults: [] })
    expect(all.tables.map(({ schema }) => schema).slice(0, 4)).toEqual([
      'tenant_1',
      'tenant_10',
      'tenant_11',
      'tenant_12',
    ])
    const two = ['"tenant_11"."vehicles"', '"tenant_2"."vehicles"']
    const query = `select format('%I.vehicles', name) from tenants`
    for (const table of [['tenant_2.vehicles', 'tenant_11.vehicles'], { query }]) {
      const found = await check(table)
      expect(found).toMatchObject({ kinds: 1, faults: [] })
      expect(found.tables.map(({ sql }) => sql)).toEqual(two)
    }
  })
})

test('tables that differ are named by what differs, and only faults of them are faults', async () => {
  await withTenants(async (check, ddl) => {
    await ddl(`alter table tenant_3.vehicles alter is_truck type text;
      alter table tenant_5.vehicles drop is_truck; alter table tenant_6.vehicles drop is_truck;
      alter table tenant_7.vehicles add type varchar(20);
      create function tenant_8.f() returns trigger language plpgsql as 'begin return new; end';
      create trigger audit before update on tenant_8.vehicles for each row execute function tenant_8.f();
      alter table tenant_9.vehicles add extra text`)
    const { differences, faults, kinds } = await check('tenant_*.vehicles')
    expect(kinds).toBe(5)
    expect(differences).toEqual([
      'In 2 of 12 tables, column is_truck does not exist; in most it is boolean not null: tenant_5, tenant_6.',
      'In 1 of 12 tables, column is_truck is text not null; in most it is boolean not null: tenant_3.',
      'In 1 of 12 tables, column type is character varying(20); in most it does not exist: tenant_7.',
      expect.stringMatching(
        /^In 1 of 12 tables, trigger audit is CREATE TRIGGER audit .*; in most it does not exist: tenant_8\.$/,
      ),
    ])
    expect(faults.join('\n')).toMatch(
      /"tenant_5"\."vehicles" \(and in 1 like it: tenant_6\): Column is_truck does not exist/,
    )
    expect(faults.join('\n')).toContain('"tenant_3"."vehicles": ')
    expect(faults.join('\n')).not.toContain('tenant_8')
  })
})

test('owners, privileges, policies and publications are compared, and a role of each tenant is no difference', async () => {
  await withTenants(async (check, ddl) => {
    const roles = [1, 2, 3, 4].map((i) => `create role tenant_${i}_app`)
    await ddl(roles.join(';'))
    try {
      for (const i of [1, 2, 3])
        await ddl(`alter table tenant_${i}.vehicles enable row level security;
          create policy own on tenant_${i}.vehicles to tenant_${i}_app using (is_truck)`)
      await ddl(`grant select (name) on tenant_4.vehicles to tenant_4_app;
        alter table tenant_3.vehicles force row level security;
        create publication sti_one for table tenant_5.vehicles`)
      const { differences, kinds } = await check('tenant_*.vehicles')
      expect(kinds).toBe(5)
      expect(differences).toEqual([
        'In 3 of 12 tables, policy own is permissive for * to *_app using is_truck; in most it does not exist: tenant_1, tenant_2, tenant_3.',
        'In 1 of 12 tables, publications is sti_one; in most it does not exist: tenant_5.',
        'In 2 of 12 tables, row-level security is on; in most it does not exist: tenant_1, tenant_2.',
        'In 1 of 12 tables, row-level security is on, and forced on the owner; in most it does not exist: tenant_3.',
        'In 1 of 12 tables, the privileges on columns is name: SELECT to *_app; in most it does not exist: tenant_4.',
      ])
    } finally {
      for (let i = 1; i <= 4; i++) await ddl(`drop owned by tenant_${i}_app; drop role tenant_${i}_app`)
    }
  })
})

test('a role that is no owner sees who owns the tables', async () => {
  await withDatabase(async ({ url, sql }) => {
    const role = `sti_stranger_${process.pid}`
    await sql.unsafe(`create role ${role} login password 'stranger'`)
    try {
      for (let i = 1; i <= 3; i++)
        await sql.unsafe(`create schema tenant_${i}; create table tenant_${i}.vehicles (id bigint primary key, is_truck boolean not null)
          ; grant usage on schema tenant_${i} to ${role}`)
      await sql.unsafe(`alter table tenant_1.vehicles owner to ${role}; alter table tenant_2.vehicles owner to ${role}`)
      const own = new URL(url)
      own.username = role
      own.password = 'stranger'
      const database = connect(own.href, 'test')
      try {
        const { group } = compileRollout('v.yaml', JSON.stringify({ ...FILE, table: 'tenant_*.vehicles' }))
        const { differences, faults } = await checkGroup(database.engine(), group!)
        expect(differences.join('\n')).toMatch(
          /In 1 of 3 tables, the owner is role \w+, of which the agent is no member; in most it is a role of the agent: tenant_3\./,
        )
        expect(differences.join('\n')).toContain('the privileges of the agent is none')
        expect(faults.join('\n')).toContain('"tenant_3"."vehicles": ')
        expect(faults.join('\n')).not.toContain('tenant_1')
      } finally {
        await database.close()
      }
    } finally {
      await sql.unsafe(`drop owned by ${role} cascade; drop role ${role}`)
    }
  })
})

test('what names no table, or two of one schema, is a fault with its place', async () => {
  await withTenants(async (check, ddl) => {
    await ddl(`create table tenant_1.cars (id bigint primary key, is_truck boolean)`)
    const faults = async (table: unknown) => (await check(table)).faults.join('\n')
    expect(await faults('nobody_*.vehicles')).toContain('No table in this database matches nobody_*.vehicles')
    expect(await faults(['tenant_1.vehicles', 'gone.vehicles'])).toContain(
      'gone.vehicles is not a table of this database',
    )
    expect(await faults(['tenant_1.vehicles', 'tenant_1.cars'])).toContain('are in one schema')
    expect(await faults({ query: 'select 1' })).toContain('it returns 1, not the name of a table')
    expect(await faults({ query: `select 'a', 'b' as c` })).toContain('it has 2 columns')
    expect(await faults({ query: `select 'a b'` })).toContain('is not a table name')
    expect(await faults({ query: 'select nothing' })).toContain('column "nothing" does not exist')
    expect(await faults({ query: `select 'x' where false` })).toContain('returns no name')
  })
})

test('1,000 tables are found, compared and checked within the time of a statement', async () => {
  await withTenants(async (check, ddl) => {
    const ddlOf = (i: number): string =>
      `create schema many_${i}; create table many_${i}.vehicles (id bigint primary key, is_truck boolean not null)`
    for (let i = 0; i < 1_000; i += 100) await ddl(Array.from({ length: 100 }, (_, j) => ddlOf(i + j)).join(';'))
    const list = Array.from({ length: 1_000 }, (_, i) => `many_${i}.vehicles`)
    for (const table of ['many_*.vehicles', list]) {
      const { tables, kinds, faults } = await check(table)
      expect([tables.length, kinds, faults]).toEqual([1_000, 1, []])
    }
  })
})
