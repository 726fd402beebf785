import type { SeededFault } from './fault.ts'
import { runStatements } from './seedSql.ts'

const shared = { environment: 'vehicles', layer: 'integrity', checks: ['constraints-valid'] } as const

/** Constraints and indexes by finalize or by the application are not enforced. */
export const constraintFaults: readonly SeededFault[] = [
  {
    ...shared,
    name: 'check-dropped',
    what: 'the CHECK constraint of the type was dropped',
    seed: runStatements('alter table public.vehicles drop constraint sti_vehicles_type_check'),
  },
  {
    ...shared,
    name: 'check-not-valid',
    what: 'the CHECK constraint of the type was recreated and never validated',
    seed: runStatements(`alter table public.vehicles drop constraint sti_vehicles_type_check;
      alter table public.vehicles add constraint sti_vehicles_type_check check (type in ('Truck', 'Bike', 'Car')) not valid`),
  },
  {
    ...shared,
    name: 'not-null-dropped',
    checks: ['no-null-type', 'constraints-valid'],
    what: 'the rollout file requires NOT NULL, but the column is nullable',
    seed: runStatements('alter table public.vehicles alter type drop not null'),
  },
  {
    ...shared,
    name: 'index-invalid',
    what: 'the index on the type is INVALID, as after a failed CREATE INDEX CONCURRENTLY',
    seed: runStatements(
      `update pg_index set indisvalid = false where indexrelid = 'public.sti_vehicles_type_idx'::regclass`,
    ),
  },
  {
    ...shared,
    name: 'index-dropped',
    what: 'the index on the type was dropped',
    seed: runStatements('drop index public.sti_vehicles_type_idx'),
  },
  {
    ...shared,
    name: 'rule-of-the-application-broken',
    what: 'rows violate an application CHECK that is NOT VALID',
    seed: runStatements('alter table public.vehicles add constraint many_axles check (axles > 2) not valid'),
  },
  {
    ...shared,
    name: 'foreign-key-not-enforced',
    what: 'the triggers of a foreign key that references the table are disabled',
    seed: runStatements('alter table public.trip disable trigger all'),
  },
  {
    ...shared,
    name: 'foreign-key-not-valid',
    checks: ['foreign-keys'],
    what: 'a foreign key of the table is NOT VALID, and a row is an orphan',
    follows: ['constraints-valid'],
    seed: runStatements(`alter table public.vehicles drop constraint vehicles_owner_id_fkey;
      update public.vehicles set owner_id = 777 where id = 2001;
      alter table public.vehicles add constraint vehicles_owner_id_fkey foreign key (owner_id) references public.owner not valid`),
  },
  {
    ...shared,
    name: 'row-deleted-behind-the-back',
    checks: ['foreign-keys'],
    what: 'a row was deleted with session_replication_role = replica and is still referenced',
    seed: runStatements(
      `select set_config('session_replication_role', 'replica', true); delete from public.vehicles where id = 5`,
    ),
  },
]
