import { expect, test } from 'vitest'
import { withAgent } from '../support/agent.ts'
import { withDatabase } from '../support/database.ts'
import { withAgentRole } from '../safety/agentRole.ts'
import { VEHICLES_FILE } from '../support/vehicles.ts'
import { findCheck, failedChecks, validate } from './validations.ts'

const CHECK = { checks: ['foreign-keys'] }
const FILE = VEHICLES_FILE.replaceAll('public.vehicles', 'app.things')

/** Each foreign key, and a statement that adds an orphan to it. */
const FOREIGN_KEYS: readonly (readonly [name: string, orphan: string])[] = [
  ['parent on app.things', 'update app.things set parent_id = 888 where id = 7'],
  ['later on app.things', 'update app.things set later_id = 888 where id = 8'],
  ['old on app.things', 'update app.things set old_id = 888 where id = 9'],
  ['low_only on app.things_low', 'update app.things set low_id = 888 where id = 10'],
  ['by_name on app.things', `update app.things set name = 'nobody' where id = 11`],
  ['trip_thing on other.trip', 'update other.trip set thing = 888 where id = 1'],
  ['note_thing on other.note', 'update other.note set thing = 888 where id = 1'],
]

// app.owner has rows 1 to 5; old_id is an orphan in 20 rows before the rollout.
const TABLES = `create schema app; create schema other; create schema ext; create extension citext schema ext;
  create table app.owner (id int primary key, name ext.citext unique); insert into app.owner select n, 'Owner' || n from generate_series(1, 5) n;
  create table app.things (id int primary key, is_truck boolean not null, is_bike boolean not null,
    parent_id int, later_id int, old_id int, low_id int, name ext.citext, open_id int) partition by range (id);
  create table app.things_low partition of app.things for values from (0) to (50);
  create table app.things_high partition of app.things for values from (50) to (200);
  insert into app.things select n, n % 3 = 0, n % 3 = 1, nullif(n - 1, 0), 1 + n % 5, n % 6 + (n % 6 = 0)::int * 9, 1 + n % 5, 'OWNER' || 1 + n % 5, 777
    from generate_series(1, 120) n;
  alter table app.things add constraint parent foreign key (parent_id) references app.things deferrable initially deferred,
    add constraint later foreign key (later_id) references app.owner deferrable initially deferred,
    add constraint by_name foreign key (name) references app.owner (name);
  alter table app.things_low add constraint low_only foreign key (low_id) references app.owner;
  create table other.trip (id int primary key, thing int constraint trip_thing references app.things); insert into other.trip select n, n from generate_series(1, 30) n;
  create table other.note (id int primary key, thing int constraint note_thing references app.things_low); insert into other.note select n, n from generate_series(1, 30) n;`

test(
  'foreign keys of every kind are judged by the orphans that were added since expand',
  {
    timeout: 120_000,
  },
  async () => {
    await withDatabase(async ({ url, sql }) => {
      await sql.unsafe(TABLES)
      const [server] = await sql<{ version: number }[]>`select current_setting('server_version_num')::int as version`
      // Before PostgreSQL 18, a foreign key of a partitioned table cannot be NOT VALID.
      const recent = server!.version >= 180_000
      await sql.unsafe(
        recent
          ? `alter table app.things add constraint old foreign key (old_id) references app.owner not valid;
           alter table app.things_high add constraint open foreign key (open_id) references app.owner not enforced`
          : `alter table app.things_low add constraint old foreign key (old_id) references app.owner not valid;
           alter table app.things_high add constraint old foreign key (old_id) references app.owner not valid`,
      )
      await withAgent(url, FILE, async (agent) => {
        for (const kind of ['expand', 'backfill'] as const) await agent.run(kind)
        const first = await validate(agent, { layers: ['integrity'] })
        expect(failedChecks(first)).toEqual([])
        const { detail } = findCheck(first, 'foreign-keys')
        expect(detail).toMatch(
          /^no orphan was added; old on app\.things(_high|_low)? has \d+ orphans from before the rollout/,
        )
        if (recent) expect(detail).toContain('not checked, since not enforced: open on app.things_high')
        await agent.run('finalize')
        expect(failedChecks(await validate(agent, { layers: ['integrity'] }))).toEqual([])

        await sql.unsafe(
          [
            `select set_config('session_replication_role', 'replica', true)`,
            ...FOREIGN_KEYS.map(([, orphan]) => orphan),
          ].join(';'),
        )
        const found = findCheck(await validate(agent, CHECK), 'foreign-keys')
        expect(found).toMatchObject({ verdict: 'fail', value: FOREIGN_KEYS.length })
        for (const [name] of FOREIGN_KEYS)
          expect(found.detail).toContain(
            `1 row of ${recent ? name : name.replace(/^old on app\.things$/, 'old on app.things_low')} references a missing row`,
          )
        await agent.run('rollback', { scope: 'data', confirm: 'vehicles' })
      })
    })
  },
)

test('a foreign key whose rows the agent may not see cannot be decided, and the detail has the statements', async () => {
  await withAgentRole({ monitor: true }, async ({ url, sql, role }) => {
    await sql.unsafe(`create schema closed; create table closed.trip (id int primary key, vehicle bigint references public.vehicles);
      create table public.owner (id int primary key); insert into public.owner values (1); alter table public.owner enable row level security;
      alter table public.vehicles add column owner_id int references public.owner; grant select on public.owner to ${role};
      update public.vehicles set owner_id = 1`)
    await withAgent(url, VEHICLES_FILE, async (agent) => {
      for (const kind of ['expand', 'backfill'] as const) await agent.run(kind)
      const found = findCheck(await validate(agent, CHECK), 'foreign-keys')
      expect(found).toMatchObject({
        verdict: 'inconclusive',
        acceptable: [
          'unreadable trip_vehicle_fkey on closed.trip',
          'unreadable vehicles_owner_id_fkey on public.vehicles',
        ],
      })
      const statements = found.detail.replace(/^.*: run /, '')
      expect(statements).toContain(`GRANT USAGE ON SCHEMA closed TO ${role}`)
      await sql.unsafe(statements)
      expect(findCheck(await validate(agent, CHECK), 'foreign-keys').verdict).toBe('pass')
    })
  })
})
