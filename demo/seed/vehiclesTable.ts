import type postgres from 'postgres'

/**
 * The legacy table before any rollout: two booleans tell the kind of a vehicle. The application's own trigger sets
 * updated_at, except for writes of the engine (`sti.engine` is on).
 */
export async function createVehiclesTable(
  sql: postgres.Sql,
  roles: { agent: string; application: string },
): Promise<void> {
  await sql.unsafe(`
    create table public.vehicles (
      id bigint generated always as identity primary key,
      vin text not null,
      name text not null,
      is_truck boolean not null default false,
      is_bike boolean not null default false,
      axles integer not null,
      owner_email text not null,
      price numeric(12, 2) not null,
      created_at timestamptz not null default now(),
      updated_at timestamptz not null default now()
    );
    create function public.touch_updated_at() returns trigger language plpgsql as $$
    begin
      if current_setting('sti.engine', true) is distinct from 'on' then
        new.updated_at := now();
      end if;
      return new;
    end $$;
    create trigger touch_updated_at before update on public.vehicles
      for each row execute function public.touch_updated_at();
    alter table public.vehicles owner to ${roles.agent};
    grant select, insert, update, delete on public.vehicles to ${roles.application};
    grant usage, create on schema public to ${roles.agent};`)
}

/** The columns of seed row n. The same expression fills the table and later checks that no row was lost. */
export const SEED_ROW_SQL = `
  'VIN' || lpad(to_hex(n * 2654435761), 14, '0') as vin,
  'vehicle ' || n as name,
  n % 10 < 2 as is_truck,
  n % 10 between 2 and 4 as is_bike,
  case when n % 10 < 2 then 2 + (n % 4)::int else 2 end as axles,
  'owner' || (n % 20000) || '@example.com' as owner_email,
  round((1000 + (n * 7919) % 90000)::numeric + 0.5, 2) as price,
  timestamptz '2024-01-01 00:00:00+00' + n * interval '1 second' as created_at,
  timestamptz '2024-06-01 00:00:00+00' + n * interval '1 second' as updated_at`

export async function seedVehicles(sql: postgres.Sql, rows: number): Promise<void> {
  await sql.unsafe(`
    insert into public.vehicles (vin, name, is_truck, is_bike, axles, owner_email, price, created_at, updated_at)
    select ${SEED_ROW_SQL} from generate_series(1, ${BigInt(rows)}::bigint) n order by n`)
  await sql.unsafe('create unique index vehicles_vin on public.vehicles (vin)')
  await sql.unsafe('create index vehicles_created_at on public.vehicles (created_at)')
  await sql.unsafe('vacuum analyze public.vehicles')
}
