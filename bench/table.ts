import type postgres from 'postgres'

/** `rows` vehicles with a primary key and three secondary indexes; built the same way for every method. */
export async function makeTable(sql: postgres.Sql, rows: number): Promise<void> {
  await sql.unsafe(`
    create table public.vehicles (
      id bigint generated always as identity primary key,
      name text not null,
      plate text not null,
      is_truck boolean not null,
      is_bike boolean not null,
      axles integer not null,
      updated_at timestamptz not null
    )`)
  await sql.unsafe(`insert into public.vehicles (name, plate, is_truck, is_bike, axles, updated_at)
    select 'vehicle ' || n, md5(n::text), n % 10 < 3, n % 10 in (5, 6), 2 + n % 4, timestamptz '2026-01-01' + n * interval '1 second'
    from generate_series(1, ${rows}) n`)
  await sql.unsafe('create index vehicles_name on public.vehicles (name)')
  await sql.unsafe('create index vehicles_plate on public.vehicles (plate)')
  await sql.unsafe('create index vehicles_updated on public.vehicles (updated_at)')
  await sql.unsafe('vacuum (analyze) public.vehicles')
  await sql.unsafe('checkpoint')
}

export const DERIVED = `case when is_truck then 'Truck' when is_bike then 'Bike' else 'Car' end`

export interface Sizes {
  readonly heapBytes: number
  readonly indexBytes: number
  readonly wal: string
  readonly updates: number
  readonly hotUpdates: number
}

export async function sizes(sql: postgres.Sql): Promise<Sizes> {
  // Counters of the statistics collector arrive after a transaction; this makes the reading wait for them.
  await sql.unsafe('select pg_stat_force_next_flush()')
  const [row] = await sql<{ heap: string; index: string; wal: string; updates: string; hot: string }[]>`
    select pg_relation_size('public.vehicles') as heap, pg_indexes_size('public.vehicles') as index,
      pg_current_wal_insert_lsn() as wal, n_tup_upd as updates, n_tup_hot_upd as hot
    from pg_stat_user_tables where relid = 'public.vehicles'::regclass`
  return {
    heapBytes: Number(row!.heap),
    indexBytes: Number(row!.index),
    wal: row!.wal,
    updates: Number(row!.updates),
    hotUpdates: Number(row!.hot),
  }
}

export async function walBetween(sql: postgres.Sql, from: string, to: string): Promise<number> {
  const [row] = await sql<{ bytes: string }[]>`select pg_wal_lsn_diff(${to}::pg_lsn, ${from}::pg_lsn) as bytes`
  return Number(row!.bytes)
}
