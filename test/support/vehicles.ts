import type postgres from 'postgres'

/** Creates the legacy table of the main job with `rows` rows, and analyzes it. */
export async function createVehicles(sql: postgres.Sql, rows: number): Promise<void> {
  await sql.unsafe(`
    create extension if not exists pg_stat_statements;
    create table public.vehicles (
      id bigint generated always as identity primary key,
      name text not null,
      is_truck boolean not null,
      is_bike boolean not null,
      axles integer,
      updated_at timestamptz not null default now()
    );
    insert into public.vehicles (name, is_truck, is_bike, axles)
      select 'vehicle ' || n, n % 10 < 3, n % 10 = 5, 2 + n % 3 from generate_series(1, ${rows}) n;
    create index vehicles_name on public.vehicles (name);
    analyze public.vehicles`)
}

export const VEHICLES_FILE = `rollout: vehicles
table: public.vehicles
discriminator: { column: type, dataType: text }
types:
  - { name: Truck, when: is_truck, restore: { is_truck: "true", is_bike: "false" } }
  - { name: Bike, when: is_bike, restore: { is_truck: "false", is_bike: "true" } }
otherwise: { name: Car, restore: { is_truck: "false", is_bike: "false" } }
legacyColumns: [is_truck, is_bike]
flag: { key: vehicles-sti }
validation: { requires: [integrity] }
`
