import type { SeededFault } from './fault.ts'
import { writeBypassingTrigger } from './seedSql.ts'

const WRONG_TYPE_CHECKS = ['coverage', 'type-matches-legacy']

/** Rows that do not match their legacy columns. None of them is on the first page of a list. */
export const rowFaults: readonly SeededFault[] = [
  {
    name: 'wrong-type',
    environment: 'vehicles',
    layer: 'integrity',
    what: 'a row has a wrong type, written while the trigger was disabled',
    checks: WRONG_TYPE_CHECKS,
    seed: ({ sql }) => writeBypassingTrigger(sql, `update public.vehicles set type = 'Car' where id = 2003`),
  },
  {
    name: 'null-type',
    environment: 'vehicles',
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
    environment: 'vehicles',
    layer: 'integrity',
    what: 'the CHECK constraint was dropped, and a row has a type that the rollout file does not name',
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
    environment: 'vehicles',
    layer: 'integrity',
    what: 'old code changed the legacy columns of a row while the trigger was disabled, so its type is outdated',
    checks: WRONG_TYPE_CHECKS,
    seed: ({ sql }) =>
      writeBypassingTrigger(sql, 'update public.vehicles set is_truck = false, is_bike = false where id = 2003'),
  },
  {
    name: 'inserted-past-the-trigger',
    environment: 'vehicles',
    layer: 'integrity',
    what: 'a row was inserted with a wrong type while the trigger was disabled',
    checks: WRONG_TYPE_CHECKS,
    seed: ({ sql }) =>
      writeBypassingTrigger(
        sql,
        `insert into public.vehicles (vin, name, is_truck, axles, owner_email, price, type)
         values ('VIN-X', 'new', true, 2, 'x@example.com', 1, 'Car')`,
      ),
  },
  {
    name: 'not-restored',
    environment: 'vehicles',
    layer: 'integrity',
    what: 'a row was given its type while the trigger was disabled, and one legacy column is not what restore says',
    checks: ['legacy-matches-restore'],
    reported: /^1 row with a legacy value other than the restore of their type/,
    seed: ({ sql }) =>
      writeBypassingTrigger(
        sql,
        `update public.vehicles set type = 'Truck', is_truck = true, is_bike = true where id = 2003`,
      ),
  },
  {
    name: 'failed-row',
    environment: 'vehicles',
    layer: 'integrity',
    what: 'a backfill recorded a failed row that an application constraint does not allow to be updated',
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
    environment: 'vehicles',
    layer: 'integrity',
    what: 'a write with contradicting legacy columns and type was refused',
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
