import type postgres from 'postgres'
import { createVehicles } from '../support/vehicles.ts'

/** The lines that the rollout file needs for the triggers below. */
export const TRIGGERS_FILE_PART = 'triggers: { counted: harmless, refuses: harmless }\n'

/**
 * The legacy table, with application triggers that count each row that the engine writes in the same transaction, and
 * that can refuse updates of rows by name.
 */
export async function createLegacyTable(sql: postgres.Sql, rows: number, slowSeconds = 0): Promise<void> {
  await createVehicles(sql, rows)
  await sql.unsafe(`
    create table public.engine_writes (rows bigint not null);
    create function public.counted() returns trigger language plpgsql as $$ begin
      if current_setting('sti.engine', true) = 'on' then
        perform pg_sleep(${slowSeconds});
        insert into public.engine_writes select count(*) from changed having count(*) > 0;
      end if;
      return null;
    end $$;
    create trigger counted after update on public.vehicles referencing new table as changed
      for each statement execute function public.counted();
    create table public.refused (name text not null);
    create function public.refuses() returns trigger language plpgsql as $$ begin
      if exists (select from public.refused r where r.name = new.name) then raise exception 'refused by the application'; end if;
      return new;
    end $$;
    create trigger refuses before update on public.vehicles for each row when (old.name like 'named %')
      execute function public.refuses()`)
}

/** Inserts rows that no writer touches, by name. Returns their keys. */
export async function insertNamedRows(sql: postgres.Sql, name: string, count: number): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    insert into public.vehicles (name, is_truck, is_bike) select ${`named ${name}`}, true, false
    from generate_series(1, ${count}::int) returning id`
  return rows.map((row) => row.id)
}

export async function refuseUpdates(sql: postgres.Sql, name: string): Promise<void> {
  await sql`insert into public.refused (name) values (${`named ${name}`})`
}

export async function allowUpdates(sql: postgres.Sql, name: string): Promise<void> {
  await sql`delete from public.refused where name = ${`named ${name}`}`
}

/** The rows that the engine has written since the last call, as counted by the application. */
export async function takeEngineWrites(sql: postgres.Sql): Promise<number> {
  const [row] = await sql<{ rows: number }[]>`
    with taken as (delete from public.engine_writes returning rows) select coalesce(sum(rows), 0)::int as rows from taken`
  return row!.rows
}

/** The rows that all lanes of an operation report as written and passed. */
export async function readLaneSums(sql: postgres.Sql, id: number): Promise<{ passed: number; written: number }> {
  const [row] = await sql<{ passed: number; written: number }[]>`
    select coalesce(sum(passed_rows), 0)::int as passed, coalesce(sum(written_rows), 0)::int as written
    from sti.lane where operation_id = ${id}`
  return row!
}
