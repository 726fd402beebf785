import type { Method } from '../method.ts'
import { ADD_COLUMN_SQL, DERIVED_TYPE_SQL } from '../benchTable.ts'
import { withExplicitSql } from './explicitSql.ts'

const BATCH_ROWS = 1000

/**
 * How pgroll fills a column, written anew from reading its source (github.com/xataio/pgroll, pkg/backfill: backfill.go
 * and templates/sql.go, function.go, trigger.go):
 * - a second column, a boolean with the constant default true, marks the rows that still need the backfill;
 * - a BEFORE INSERT OR UPDATE row trigger in PL/pgSQL, without a WHEN clause, takes each column of the row into a
 *   variable, compares search_path with the schema of the new version, and if the writer is an old one computes the new
 *   column from those variables and takes the mark away;
 * - the backfill has no value of its own to write: one statement for each batch of 1,000 selects the next marked keys
 *   in key order with FOR NO KEY UPDATE, sets their key to itself so that the trigger fires, and answers the last key;
 *   the text holds that key as a constant, so each batch is parsed and planned anew; no delay between batches.
 * What it does once for each migration (views, its own state) is left out.
 */
export const pgrollTechnique: Method = {
  name: 'pgroll-method',
  workers: 1,
  shares: 50,
  leaves: 'types',
  async run(url, timed) {
    await withExplicitSql(url, async (sql) => {
      await sql.unsafe(ADD_COLUMN_SQL)
      await sql.unsafe('alter table public.vehicles add column needs_backfill boolean default true')
      await sql.unsafe(`
        create function public.fill_type() returns trigger language plpgsql as $$
        declare
          id public.vehicles.id%type := new.id;
          name public.vehicles.name%type := new.name;
          plate public.vehicles.plate%type := new.plate;
          is_truck public.vehicles.is_truck%type := new.is_truck;
          is_bike public.vehicles.is_bike%type := new.is_bike;
          axles public.vehicles.axles%type := new.axles;
          updated_at public.vehicles.updated_at%type := new.updated_at;
          schemas text;
        begin
          select setting into schemas from current_setting('search_path') as setting;
          if schemas <> 'public_with_type' then
            new.type := ${DERIVED_TYPE_SQL};
            new.needs_backfill := false;
          end if;
          return new;
        end $$`)
      await sql.unsafe(`create trigger fill_type before insert or update on public.vehicles
        for each row execute function public.fill_type()`)
      await timed(async () => {
        for (let after = ''; ;) {
          const rows = await sql.unsafe<{ last: string | null }[]>(
            `with batch as (
               select id from public.vehicles where needs_backfill ${after}
               order by id limit ${BATCH_ROWS} for no key update
             ),
             written as (
               update public.vehicles v set id = v.id from batch where v.id = batch.id returning v.id
             )
             select max(id) as last from written`,
            [],
            { prepare: false },
          )
          const last = rows[0]!.last
          if (last === null) return
          after = `and id > '${last}'`
        }
      })
    })
    return {}
  },
}
