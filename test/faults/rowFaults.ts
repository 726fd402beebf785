import type { SeededFault } from './fault.ts'
import { writeBypassingTrigger } from './seedSql.ts'

const WRONG_TYPE_CHECKS = ['coverage', 'type-matches-legacy']

/** Rows that are not what their legacy columns say. Each lies behind the first page of every list. */
export const rowFaults: readonly SeededFault[] = [
  {
    name: 'wrong-type',
    ground: 'vehicles',
    layer: 'integrity',
    what: 'a row holds the type of another kind, written while the trigger was off',
    checks: WRONG_TYPE_CHECKS,
    seed: ({ sql }) => writeBypassingTrigger(sql, `update public.vehicles set type = 'Car' where id = 2003`),
  },
  {
    name: 'null-type',
    ground: 'vehicles',
    layer: 'integrity',
    what: 'NOT NULL and the CHECK constraint were dropped, and a row lost its type',
    checks: ['no-null-type'],
    follows: [...WRONG_TYPE_CHECKS, 'constraints-valid'],
    seed: ({ sql }) =>
      writeBypassingTrigger(
        sql,
        `alter table public.vehicles alter type drop not null, drop constraint sti_vehicles_type_check;
        update public.vehicles set type = null where id = 2003`,
      ),
  },
  {
    name: 'unknown-type',
    ground: 'vehicles',
    layer: 'integrity',
    what: 'the CHECK constraint was dropped, and a row holds a type that the file does not name',
    checks: ['no-unknown-type'],
    follows: [...WRONG_TYPE_CHECKS, 'constraints-valid'],
    seed: ({ sql }) =>
      writeBypassingTrigger(
        sql,
        `alter table public.vehicles drop constraint sti_vehicles_type_check; update public.vehicles set type = 'Boat' where id = 2003`,
      ),
  },
  {
    name: 'legacy-written-past-the-trigger',
    ground: 'vehicles',
    layer: 'integrity',
    what: 'old code changed the legacy columns of a row while the trigger was off, and its type stayed',
    checks: WRONG_TYPE_CHECKS,
    seed: ({ sql }) =>
      writeBypassingTrigger(sql, 'update public.vehicles set is_truck = false, is_bike = false where id = 2003'),
  },
  {
    name: 'inserted-past-the-trigger',
    ground: 'vehicles',
    layer: 'integrity',
    what: 'a row was inserted while the trigger was off, with a type of its own',
    checks: WRONG_TYPE_CHECKS,
    seed: ({ sql }) =>
      writeBypassingTrigger(
        sql,
        `insert into public.vehicles (vin, name, is_truck, axles, owner_email, price, type)
         values ('VIN-X', 'new', true, 2, 'x@example.com', 1, 'Car')`,
      ),
  },
  {
    name: 'failed-row',
    ground: 'vehicles',
    layer: 'integrity',
    what: 'a row that a constraint of the application does not let write was met by a backfill and recorded',
    checks: ['no-failed-row'],
    follows: [...WRONG_TYPE_CHECKS, 'constraints-valid'],
    async seed({ sql, agent }) {
      await writeBypassingTrigger(sql, `update public.vehicles set type = 'Car' where id = 2003`)
      await sql.unsafe('alter table public.vehicles add constraint not_this_one check (id <> 2003) not valid')
      await agent.run('backfill')
    },
  },
  {
    name: 'conflict',
    ground: 'vehicles',
    layer: 'integrity',
    what: 'a write of legacy columns and type that disagree was tried, and refused',
    checks: ['dual-write-conflicts'],
    async seed({ sql }) {
      const refused = await sql
        .unsafe(`update public.vehicles set is_truck = true, is_bike = false, type = 'Bike' where id = 2005`)
        .then(
          () => false,
          () => true,
        )
      if (!refused) throw new Error('the write was not refused')
    },
  },
]
