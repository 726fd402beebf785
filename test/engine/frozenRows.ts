import type postgres from 'postgres'

/** The application refuses every UPDATE of these rows, with a delay. */
export async function freezeRows(sql: postgres.Sql, ids: readonly number[], seconds = 0): Promise<void> {
  await sql.unsafe(`
    create or replace function public.frozen() returns trigger language plpgsql as $$ begin
      if new.id in (${ids.join(', ')}) and new.name = old.name then
        perform pg_sleep(${seconds}); raise exception 'row % is frozen', new.id;
      end if;
      return new; end $$;
    create or replace trigger frozen before update on public.vehicles for each row execute function public.frozen()`)
}

export const FROZEN_ROWS_OPTIONS = { triggers: ['frozen'], file: 'errorBudget: 1\n' }
export const FROZEN_TRIGGER_SQL = `
  create function public.frozen() returns trigger language plpgsql as $$ begin return new; end $$;
  create trigger frozen before update on public.vehicles for each row execute function public.frozen()`
