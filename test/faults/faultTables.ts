import type postgres from 'postgres'
import { createVehiclesTable, seedVehicles } from '../../demo/seed/vehiclesTable.ts'

const EXTENSIONS = ['pg_stat_statements', 'amcheck', 'pg_surgery', 'pgstattuple']

async function createExtensions(sql: postgres.Sql): Promise<void> {
  for (const name of EXTENSIONS) await sql.unsafe(`create extension ${name}`)
}

/** The table of the demo, a table that it references, and a table that references it. */
export async function createFaultVehiclesTable(sql: postgres.Sql, rows = 3_000): Promise<void> {
  await createExtensions(sql)
  await createVehiclesTable(sql, { agent: 'postgres', application: 'postgres' })
  await seedVehicles(sql, rows)
  await sql.unsafe(`
    create table public.owner (id bigint primary key);
    insert into public.owner select generate_series(1, 100);
    alter table public.vehicles add column owner_id bigint references public.owner;
    update public.vehicles set owner_id = 1 + id % 100;
    create table public.trip (id bigint generated always as identity primary key, vehicle_id bigint not null references public.vehicles);
    insert into public.trip (vehicle_id) select 1 + n % 1000 from generate_series(1, 3000) n`)
  await sql.unsafe('vacuum analyze')
}

/** As above, with a slow function whose duration exceeds the noise of a busy machine. */
export async function createTrafficTable(sql: postgres.Sql): Promise<void> {
  await createFaultVehiclesTable(sql, 30_000)
  await sql.unsafe('create function public.elsewhere() returns void language sql as $$ select pg_sleep(0.03) $$')
}

/** As above, but large enough for the bloat check. */
export async function createLargeTable(sql: postgres.Sql): Promise<void> {
  await createFaultVehiclesTable(sql, 30_000)
  await sql.unsafe(
    `alter table public.vehicles add column note text; update public.vehicles set note = repeat('x', 700)`,
  )
  await sql.unsafe('vacuum (full, analyze) public.vehicles')
}

/** Four partitions by key. */
export async function createPartitionedTable(sql: postgres.Sql, rows = 4_000): Promise<void> {
  await createExtensions(sql)
  const each = rows / 4
  await sql.unsafe(`create table public.vehicles (id bigint not null primary key, weight int not null) partition by range (id);
    ${[0, 1, 2, 3].map((n) => `create table public.vehicles_${n} partition of public.vehicles for values from (${n * each}) to (${(n + 1) * each})`).join(';\n')};
    insert into public.vehicles select n, case when n % 3 = 0 then 1000 else 100 end from generate_series(0, ${rows - 1}) n`)
  await sql.unsafe('vacuum analyze')
}
