import type { SeededFault } from './fault.ts'
import { runStatements } from './seedSql.ts'

const shared = { ground: 'vehicles', layer: 'integrity' } as const
/** Without a trace the sum of what is left is another one as well. */
const follows = ['legacy-checksum']

/** Rows that were taken away or changed without a trace, and an index that lies. */
export const silentFaults: readonly SeededFault[] = [
  {
    ...shared,
    name: 'row-lost',
    checks: ['nothing-lost'],
    what: 'a row is gone without a DELETE, as a corrupt page loses it (pg_surgery)',
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
    what: 'the legacy columns of a row are others, and no version of it is younger than the validation before (pg_surgery)',
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
    what: 'a key occurs twice, as a corrupt unique index lets it',
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
    what: 'the index of the key does not lead to a row, which everything that reads along it misses',
    seed: runStatements(`alter table public.vehicles alter id drop identity;
      update pg_index set indisready = false where indexrelid = 'public.vehicles_pkey'::regclass;
      insert into public.vehicles (id, vin, name, axles, owner_email, price) values (90000, 'VIN-X', 'hidden', 2, 'x@example.com', 1);
      update pg_index set indisready = true where indexrelid = 'public.vehicles_pkey'::regclass`),
  },
]
