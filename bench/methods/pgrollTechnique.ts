import type { Method } from '../method.ts'
import { ADD_COLUMN_SQL, DERIVED_TYPE_SQL } from '../benchTable.ts'
import { withExplicitSql } from './explicitSql.ts'

const BATCH_ROWS = 1000

/**
 * pgroll's method of filling a column, written from its source (github.com/xataio/pgroll, pkg/backfill: backfill.go and
 * templates/sql.go, function.go, trigger.go):
 * - A second column, a boolean with the constant default true, marks rows that need the backfill.
 * - A BEFORE INSERT OR UPDATE row trigger in PL/pgSQL, without a WHEN clause, copies each column of the row into a variable
 *   and compares search_path with the schema of the new version. For old clients, it computes the new column from these
 *   variables and clears the mark.
 * - The backfill writes no value itself. One statement per batch of 1,000 selects the next marked keys in key order with FOR
 *   NO KEY UPDATE, sets each key to itself so that the trigger fires, and returns the last key. The statement contains that
 *   key as a constant, so each batch is parsed and planned again. There is no delay between batches.
 * Work that pgroll does once per migration (views, its own state) is omitted.
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
