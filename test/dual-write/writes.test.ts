import { describe, expect, test } from 'vitest'
import { withSession } from '../support/faultInjection.ts'
import { withFinalizedRollout, NO_RESTORE_FILE, withConflicts } from './finalizedRollout.ts'
import {
  BIKE,
  CAR,
  readConflictCounts,
  readRow,
  SEED_ROW_IDS,
  tryStatements,
  TRUCK,
  type VehicleColumns,
} from './vehicleRows.ts'
import { VEHICLES_FILE } from '../support/vehicles.ts'

const DEFAULTS = `alter table public.vehicles alter is_truck set default false, alter is_bike set default false`
const CONFLICT = /^23514 type and legacy columns of a row of public\.vehicles disagree: type is /
const UNKNOWN = /^23514 .*violates check constraint "sti_vehicles_type_check"/

/** Case, row, assignments, and the expected row or error. */
const UPDATES: [string, keyof typeof SEED_ROW_IDS, string, VehicleColumns | RegExp][] = [
  ['new code: only the type', 'car', `type = 'Truck'`, TRUCK],
  ['new code: from one type to another', 'truck', `type = 'Bike'`, BIKE],
  ['new code: to the type of otherwise', 'truck', `type = 'Car'`, CAR],
  [
    'new code: unchanged legacy columns and another type',
    'truck',
    `is_truck = true, is_bike = false, type = 'Bike'`,
    BIKE,
  ],
  ['old code: only legacy columns', 'car', `is_truck = true`, TRUCK],
  ['old code: legacy columns with the same meaning', 'truck', `is_bike = true`, [true, true, 'Truck']],
  ['old code: back to otherwise', 'bike', `is_bike = false`, CAR],
  ['both, and they agree', 'car', `is_bike = true, type = 'Bike'`, BIKE],
  ['both, with only one of the legacy columns that must change', 'truck', `is_bike = true, type = 'Bike'`, BIKE],
  [
    'both, with more than restore sets',
    'car',
    `is_truck = true, is_bike = true, type = 'Truck'`,
    [true, true, 'Truck'],
  ],
  ['no type: no information', 'truck', `type = null`, TRUCK],
  ['no type, and another legacy value', 'truck', `type = null, is_truck = false`, CAR],
  ['neither', 'bike', `name = 'x'`, BIKE],
  ['a type that is not in the file', 'car', `type = 'Boat'`, UNKNOWN],
  ['both, and they disagree', 'car', `is_truck = true, type = 'Bike'`, CONFLICT],
]

const INSERTS: [string, string, VehicleColumns | RegExp][] = [
  ['new code: only the type', `(name, type) values ('new', 'Truck')`, TRUCK],
  ['new code: the type of otherwise', `(name, type) values ('new', 'Car')`, CAR],
  ['old code: only legacy columns', `(name, is_bike) values ('new', true)`, BIKE],
  ['old code: nothing', `(name) values ('new')`, CAR],
  ['both, and they agree', `(name, type, is_truck) values ('new', 'Truck', true)`, TRUCK],
  [
    'both, one of the two legacy columns',
    `(name, type, is_truck, is_bike) values ('new', 'Bike', default, true)`,
    BIKE,
  ],
  ['the defaults given explicitly', `(name, type, is_truck, is_bike) values ('new', 'Bike', false, false)`, BIKE],
  ['a type that is not in the file', `(name, type) values ('new', 'Boat')`, UNKNOWN],
  ['both, and they disagree', `(name, type, is_truck) values ('new', 'Bike', true)`, CONFLICT],
  ['no value that implies a type', `(name, type, is_truck, is_bike) values ('new', null, null, null)`, /^23502/],
]

const byName = `name = 'new'`

function expectRow(found: VehicleColumns | string, wanted: VehicleColumns | RegExp, name: string): void {
  if (wanted instanceof RegExp) expect(found, name).toMatch(wanted)
  else expect(found, name).toEqual(wanted)
}

/** The expression raises an error for zero axles, which the function must handle without the WHEN clause. */
const RAISING = VEHICLES_FILE.replace('when: is_truck', 'when: "is_truck and 12 / axles > 0"')
  .replace('legacyColumns: [is_truck, is_bike]', 'legacyColumns: [is_truck, is_bike, axles]')
  .replace(`restore: { is_truck: "true"`, `restore: { axles: 2, is_truck: "true"`)
  .replace(`restore: { is_truck: "false", is_bike: "true"`, `restore: { axles: 2, is_truck: "false", is_bike: "true"`)
  .replace(`restore: { is_truck: "false", is_bike: "false"`, `restore: { axles: 2, is_truck: "false", is_bike: "false"`)

describe('a write after finalize', () => {
  test('updates', async () => {
    await withFinalizedRollout(async ({ url }) => {
      for (const [name, seed, assignments, wanted] of UPDATES) {
        const statement = `update public.vehicles set ${assignments} where id = ${SEED_ROW_IDS[seed]}`
        expectRow(await tryStatements(url, statement, `id = ${SEED_ROW_IDS[seed]}`), wanted, name)
      }
    })
  })

  test('inserts', async () => {
    await withFinalizedRollout(
      async ({ url }) => {
        for (const [name, rest, wanted] of INSERTS)
          expectRow(await tryStatements(url, `insert into public.vehicles ${rest}`, byName), wanted, name)
      },
      { before: DEFAULTS },
    )
  })

  test('without defaults, a legacy column that is not NULL was given', async () => {
    await withFinalizedRollout(async ({ url }) => {
      const both = `insert into public.vehicles (name, type, is_truck, is_bike) values ('new', 'Bike', false, false)`
      expect(await tryStatements(url, both, byName)).toMatch(CONFLICT)
    })
  })

  test('ON CONFLICT, MERGE, and COPY', async () => {
    await withFinalizedRollout(
      async ({ url, sql }) => {
        const upsert = (columns: string, values: string, set: string): string =>
          `insert into public.vehicles (id, name, ${columns}) overriding system value values (3, 'new', ${values})
             on conflict (id) do update set name = excluded.name, ${set}`
        expect(await tryStatements(url, upsert('type', `'Truck'`, 'type = excluded.type'), byName)).toEqual(TRUCK)
        expect(await tryStatements(url, upsert('is_bike', 'true', 'is_bike = excluded.is_bike'), byName)).toEqual(BIKE)
        const merge = (
          set: string,
        ): string => `merge into public.vehicles v using (values (3), (null)) s (id) on v.id = s.id
          when matched then update set ${set}, name = 'new' when not matched then insert (name, type) values ('other', 'Bike')`
        expect(await tryStatements(url, merge(`type = 'Truck'`), byName)).toEqual(TRUCK)
        expect(await tryStatements(url, merge(`type = 'Truck'`), `name = 'other'`)).toEqual(BIKE)
        expect(await tryStatements(url, merge('is_bike = true'), byName)).toEqual(BIKE)
        const copied = await sql`copy public.vehicles (name, type) from stdin`.writable()
        await new Promise<void>((resolve, reject) => {
          copied.on('error', reject).on('finish', resolve)
          copied.end('copied\tTruck\n')
        })
        expect(await readRow(sql, `name = 'copied'`)).toEqual(TRUCK)
      },
      { before: DEFAULTS },
    )
  })

  test('a row that old or new code moves between partitions', async () => {
    await withFinalizedRollout(
      async ({ url, sql }) => {
        const move = (set: string): string => `update public.vehicles set id = id + 100, ${set} where id = 1`
        expect(await tryStatements(url, move('is_bike = is_bike'), 'id = 101')).toEqual(TRUCK)
        expect(await tryStatements(url, move(`type = 'Bike'`), 'id = 101')).toEqual(BIKE)
        expect(await tryStatements(url, move('is_truck = false'), 'id = 101')).toEqual(CAR)
        expect(await tryStatements(url, move(`type = 'Car', is_bike = true`), 'id = 101')).toMatch(CONFLICT)
        expect((await readConflictCounts(sql))['legacy']).toBe(0)
      },
      {
        // One partition has another column order.
        table: `create table public.vehicles (id int primary key, is_truck boolean not null, is_bike boolean not null) partition by range (id);
          create table public.small partition of public.vehicles for values from (0) to (100);
          create table public.large (is_bike boolean not null, gone int, id int primary key, is_truck boolean not null);
          alter table public.large drop column gone;
          alter table public.vehicles attach partition public.large for values from (100) to (200);
          insert into public.vehicles select n, n % 10 < 3, n % 10 = 5 from generate_series(1, 20) n; analyze`,
      },
    )
  })

  test('an expression that raises an error', async () => {
    await withFinalizedRollout(
      async ({ url, sql }) => {
        for (const [name, seed, assignments, wanted] of UPDATES) {
          const statement = `update public.vehicles set ${assignments} where id = ${SEED_ROW_IDS[seed]}`
          expectRow(await tryStatements(url, statement, `id = ${SEED_ROW_IDS[seed]}`), wanted, name)
        }
        const zero = `update public.vehicles set axles = 0 where id = 1`
        expect(await tryStatements(url, zero, 'id = 1')).toEqual([true, false, null])
        expect(
          await tryStatements(url, `${zero}; update public.vehicles set type = 'Bike' where id = 1`, 'id = 1'),
        ).toEqual(BIKE)
        expect(
          await tryStatements(url, `${zero}; update public.vehicles set type = 'Truck' where id = 1`, 'id = 1'),
        ).toEqual(TRUCK)
        expect(
          await tryStatements(url, `${zero}; update public.vehicles set axles = 3 where id = 1`, 'id = 1'),
        ).toEqual(TRUCK)
        expect(await readConflictCounts(sql)).toEqual({ corrected: 0, refused: 1, legacy: 0, type: 0 })
      },
      { file: RAISING },
    )
  })

  test('a row that no type matches', async () => {
    await withFinalizedRollout(
      async ({ url }) => {
        const unmapped = 'update public.vehicles set is_truck = false where id = 1'
        expect(await tryStatements(url, unmapped, 'id = 1')).toEqual([false, false, null])
        expect(
          await tryStatements(url, `${unmapped}; update public.vehicles set type = 'Bike' where id = 1`, 'id = 1'),
        ).toEqual(BIKE)
      },
      {
        file: VEHICLES_FILE.replace(/otherwise:.*\n/, ''),
        before: 'delete from public.vehicles where not is_truck and not is_bike',
      },
    )
  })

  test('legacy columns of any type: an enum, json without equality, and one with its own default', async () => {
    await withFinalizedRollout(
      async ({ url }) => {
        const change = (set: string): Promise<VehicleColumns | string> =>
          withSession(url, async (session) => {
            try {
              await session.unsafe(`begin; update public.vehicles set ${set} where id = 1`)
              const [row] =
                await session`select kind::text, extra->>'wheels' as wheels, type::text from public.vehicles where id = 1`
              return [row!['kind'], row!['wheels'], row!['type']] as unknown as VehicleColumns
            } catch (error) {
              return String((error as { code: string }).code)
            } finally {
              await session.unsafe('rollback')
            }
          })
        expect(await change(`type = 'Bike'`)).toEqual(['bike', '2', 'Bike'])
        expect(await change(`kind = 'bike', extra = '{"wheels": 2, "bell": true}'`)).toEqual(['bike', '2', 'Bike'])
        expect(await change(`kind = 'bike', extra = '{"wheels": 2, "bell": true}', type = 'Bike'`)).toEqual([
          'bike',
          '2',
          'Bike',
        ])
        expect(await change(`extra = '{"wheels": 3}', type = 'Bike'`)).toBe('23514')
        const insert = `insert into public.vehicles (id, type) values (9, 'Bike')`
        expect(await withSession(url, (session) => session.unsafe(`${insert} returning kind::text`))).toEqual([
          { kind: 'bike' },
        ])
      },
      {
        table: `create schema app; create type app."Kind Of" as enum ('car', 'bike'); create type app.type as enum ('Car', 'Bike');
          create table public.vehicles (id int primary key, kind app."Kind Of" not null default 'car', extra json default '{}');
          insert into public.vehicles select n, (array['car', 'bike'])[1 + n % 2]::app."Kind Of", '{"wheels": 2}' from generate_series(2, 5) n;
          insert into public.vehicles values (1, 'car', '{"wheels": 4}'); analyze`,
        file: `rollout: vehicles
table: public.vehicles
discriminator: { column: type, dataType: app.type }
types:
  - { name: Bike, when: "kind = 'bike' and extra->>'wheels' = '2'", restore: { kind: "'bike'", extra: "'{\\"wheels\\": 2}'" } }
otherwise: { name: Car, restore: { kind: "'car'", extra: "'{}'" } }
legacyColumns: [kind, extra]
flag: { key: vehicles-sti }
validation: { requires: [integrity] }
`,
      },
    )
  })
})

describe('a conflicting write', () => {
  const disagreeing = `update public.vehicles set is_truck = true, type = 'Bike' where id = 3`

  test('is refused with advice, and counted although it was rolled back', async () => {
    await withFinalizedRollout(
      async ({ url, sql }) => {
        await expect(sql.unsafe(disagreeing)).rejects.toMatchObject({
          code: '23514',
          constraint_name: 'sti_conflict',
          table_name: 'vehicles',
          column_name: 'type',
          message:
            "type and legacy columns of a row of public.vehicles disagree: type is 'Bike', but is_truck, is_bike imply 'Truck'",
          hint: expect.stringMatching(
            /^Write the type, or the legacy columns, or both with values that agree/,
          ) as string,
        })
        expect(await readRow(sql, 'id = 3')).toEqual(CAR)
        expect(await readConflictCounts(sql)).toEqual({ corrected: 0, refused: 1, legacy: 0, type: 0 })
        // An error would stop a subscription.
        const applied = `set local session_replication_role = replica; ${disagreeing}`
        expect(await tryStatements(url, applied, 'id = 3')).toEqual(TRUCK)
      },
      { file: withConflicts('refuse') },
    )
  })

  test.each([
    ['legacy', TRUCK],
    ['type', BIKE],
  ] as const)('is resolved by %s, and the losing value is recorded', async (policy, wanted) => {
    await withFinalizedRollout(
      async ({ sql }) => {
        await sql.unsafe(disagreeing)
        expect(await readRow(sql, 'id = 3')).toEqual(wanted)
        expect(
          await sql`select rollout, key, resolution, written_type as type_given, legacy_type as legacy_says, writer from sti.conflict`,
        ).toEqual([
          {
            rollout: 'vehicles',
            key: ['3'],
            resolution: policy,
            type_given: 'Bike',
            legacy_says: 'Truck',
            writer: 'postgres',
          },
        ])
        expect(await readConflictCounts(sql)).toEqual({ corrected: 0, refused: 0, legacy: 0, type: 0, [policy]: 1 })
      },
      { file: withConflicts(policy) },
    )
  })

  test('does not block other writers', async () => {
    await withFinalizedRollout(
      async ({ url, sql }) => {
        await withSession(url, async (session) => {
          await session.unsafe(`begin; ${disagreeing}`)
          await withSession(url, (other) =>
            other.unsafe(`set lock_timeout = '200ms'; ${disagreeing.replace('id = 3', 'id = 4')}`),
          )
          await session.unsafe('commit')
        })
        expect((await readConflictCounts(sql))['type']).toBe(2)
      },
      { file: withConflicts('type') },
    )
  })
})

test('a row that was written without the trigger follows its legacy columns at its next write, which is counted', async () => {
  await withFinalizedRollout(async ({ sql }) => {
    await sql.unsafe(`alter table public.vehicles disable trigger "~sti_derive"; update public.vehicles set type = 'Bike' where id = 3;
      alter table public.vehicles enable always trigger "~sti_derive"; update public.vehicles set name = 'x' where id = 3`)
    expect(await readRow(sql, 'id = 3')).toEqual(CAR)
    expect(await sql`select written_type as type_given, legacy_type as legacy_says from sti.conflict`).toEqual([
      { type_given: 'Bike', legacy_says: 'Car' },
    ])
  })
})

test('changes of legacy columns by a trigger of the application are included for old and new code', async () => {
  const crown = `create function public.crown() returns trigger language plpgsql as $$ begin new.is_truck := new.axles > 5; return new; end $$;
    create trigger zz_crown before insert or update on public.vehicles for each row execute function public.crown();
    update public.vehicles set axles = case when is_truck then 6 else 2 end`
  await withFinalizedRollout(
    async ({ url }) => {
      const update = (set: string): Promise<VehicleColumns | string> =>
        tryStatements(url, `update public.vehicles set ${set} where id = 3`, 'id = 3')
      expect(await update('axles = 8')).toEqual(TRUCK)
      expect(await update(`axles = 8, type = 'Truck'`)).toEqual(TRUCK)
      expect(await update(`type = 'Bike'`)).toEqual(BIKE)
      expect(await update(`axles = 8, type = 'Bike'`)).toMatch(CONFLICT)
    },
    { before: crown, file: `${VEHICLES_FILE}triggers: { zz_crown: harmless }\n` },
  )
})

test('with restore: none, a type that was written without legacy columns is kept until the legacy columns change', async () => {
  await withFinalizedRollout(
    async ({ url, sql }) => {
      const id = 'id = 3'
      const typed = `update public.vehicles set type = 'Bike' where ${id}`
      const kept: VehicleColumns = [false, false, 'Bike']
      expect(await tryStatements(url, typed, id)).toEqual(kept)
      expect(await tryStatements(url, `${typed}; update public.vehicles set name = 'x' where ${id}`, id)).toEqual(kept)
      expect(await tryStatements(url, `${typed}; update public.vehicles set is_truck = true where ${id}`, id)).toEqual(
        TRUCK,
      )
      expect(
        await tryStatements(
          url,
          `insert into public.vehicles (name, is_truck, is_bike, type) values ('new', false, false, 'Bike')`,
          byName,
        ),
      ).toEqual(kept)
      expect(
        await tryStatements(url, `update public.vehicles set type = 'Bike', is_truck = true where ${id}`, id),
      ).toMatch(CONFLICT)
      expect(await tryStatements(url, `update public.vehicles set type = 'Boat' where ${id}`, id)).toMatch(UNKNOWN)
      expect((await readConflictCounts(sql))['legacy']).toBe(0)
    },
    { file: NO_RESTORE_FILE },
  )
})

test('restore by expression, keep and restore: none of one type: a whole rollout, and what the type does not express survives', async () => {
  const file = `rollout: vehicles
table: public.things
types:
  - { name: Owned, when: owner is not null, restore: { owner: keep, bits: keep } }
  - { name: Lent, when: (bits & 8) <> 0, restore: none }
  - { name: Marked, when: (bits & 4) <> 0, restore: { owner: null, bits: { sql: "bits & ~8 | 4" } } }
otherwise: { name: Plain, restore: { owner: null, bits: { sql: "bits & ~12" } } }
legacyColumns: [owner, bits]
acceptLostWrites: true
flag: { key: vehicles-sti }
validation: { requires: [integrity] }
`
  const table = `create table public.people (id int primary key); insert into public.people values (1);
    create table public.things (id int primary key, owner int references public.people, bits int not null default 0);
    insert into public.things select n, case when n > 90 then 1 end, n % 8 from generate_series(1, 100) n`
  await withFinalizedRollout(
    async ({ sql, agent }) => {
      const row = async (id: number) => (await sql`select owner, bits, type from public.things where id = ${id}`)[0]
      await sql`update public.things set type = 'Plain' where id = 7`
      expect(await row(7)).toEqual({ owner: null, bits: 3, type: 'Plain' })
      await sql`update public.things set type = 'Marked' where id = 91`
      expect(await row(91)).toEqual({ owner: null, bits: 7, type: 'Marked' })
      await expect(sql`update public.things set type = 'Owned' where id = 8`.execute()).rejects.toMatchObject({
        code: '23514',
        hint: expect.stringContaining('may have to be written with the type'),
      })
      await sql`update public.things set type = 'Owned', owner = 1 where id = 8`
      expect(await row(8)).toEqual({ owner: 1, bits: 0, type: 'Owned' })
      await sql`update public.things set type = 'Lent' where id = 9`
      expect(await row(9)).toEqual({ owner: null, bits: 1, type: 'Lent' })
      const { result } = await agent.run('validation', { layers: ['integrity'] })
      const { validation } = await agent.rollout()
      const open = validation!.checks.filter(
        ({ verdict, check }) => verdict !== 'pass' && check !== 'dual-write-conflicts',
      )
      expect(open).toEqual([])
      expect(result).toMatchObject({ coverage: 1 })
      const preview = await agent.preview('rollback', { scope: 'data', confirm: 'vehicles' })
      expect(preview.notes).toContain('Archives 1 type that legacy columns cannot express.')
      const rollback = await agent.run('rollback', { scope: 'data', confirm: 'vehicles' })
      expect(rollback.result).toMatchObject({ archivedValues: 1 })
    },
    { file, table },
  )
})
