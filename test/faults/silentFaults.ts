import type { SeededFault } from './fault.ts'
import { runStatements } from './seedSql.ts'

const shared = { environment: 'vehicles', layer: 'integrity' } as const
/** A silent loss also changes the checksum of the remaining rows. */
const follows = ['legacy-checksum']

/** Rows removed or changed without a write, and a corrupt index. */
export const silentFaults: readonly SeededFault[] = [
  {
    ...shared,
    name: 'row-lost',
    checks: ['nothing-lost'],
    what: 'a row disappeared without a DELETE, as with a corrupt page (pg_surgery)',
    follows,
    async seed({ sql }) {
      const [row] = await sql<{ ctid: string }[]>`select ctid::text from public.vehicles where id = 2901`
      await sql.unsafe(`select heap_force_kill('public.vehicles'::regclass, array['${row!.ctid}']::tid[])`)
    },
  },
  {
    ...shared,
    name: 'table-truncated',
    checks: ['nothing-lost'],
    what: 'the table was truncated',
    follows: [...follows, 'list-of-trucks'],
    seed: runStatements('truncate public.vehicles cascade'),
  },
  {
    ...shared,
    name: 'changed-without-a-trace',
    checks: ['legacy-checksum'],
    what: 'the legacy columns of a row changed, but no row version is younger than the previous validation (pg_surgery)',
    async seed({ sql }) {
      await sql.unsafe('update public.vehicles set is_truck = false, is_bike = false where id = 2003')
      const [row] = await sql<{ ctid: string }[]>`select ctid::text from public.vehicles where id = 2003`
      await sql.unsafe(`select heap_force_freeze('public.vehicles'::regclass, array['${row!.ctid}']::tid[])`)
    },
  },
  {
    ...shared,
    name: 'key-twice',
    checks: ['key-unique'],
    what: 'a key occurs twice, as with a corrupt unique index',
    follows: ['key-index'],
    seed: runStatements(`alter table public.vehicles alter id drop identity;
      update pg_index set indisunique = false where indexrelid = 'public.vehicles_pkey'::regclass;
      insert into public.vehicles (id, vin, name, axles, owner_email, price) values (2003, 'VIN-X', 'again', 2, 'x@example.com', 1);
      update pg_index set indisunique = true where indexrelid = 'public.vehicles_pkey'::regclass`),
  },
  {
    ...shared,
    name: 'index-misses-a-row',
    checks: ['key-index'],
    what: 'the key index misses a row, so everything that reads through it misses the row',
    seed: runStatements(`alter table public.vehicles alter id drop identity;
      update pg_index set indisready = false where indexrelid = 'public.vehicles_pkey'::regclass;
      insert into public.vehicles (id, vin, name, axles, owner_email, price) values (90000, 'VIN-X', 'hidden', 2, 'x@example.com', 1);
      update pg_index set indisready = true where indexrelid = 'public.vehicles_pkey'::regclass`),
  },
]
