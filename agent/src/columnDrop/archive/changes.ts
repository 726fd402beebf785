import type { Change } from '../../engine/ddl.ts'
import { look } from '../../engine/look.ts'
import { literal, quote } from '../../rollout/names.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import {
  ARCHIVE_TRIGGERS,
  archiveFunction,
  archiveTable,
  differs,
  keptOf,
  listed,
  sameKey,
  type Kept,
} from './names.ts'

/** The archive's table, empty: key and legacy columns with the types and collations that they have. */
export function makeArchive(rollout: Rollout, table: Table): Change {
  const kept = keptOf(rollout, table)
  const { sql } = archiveTable(rollout)
  const key = kept.key.map((column) => column.sql).join(', ')
  return {
    kind: 'archive',
    object: sql,
    statement: [
      `create table ${sql} as select ${listed(kept, 't')} from ${rollout.table.sql} as t with no data`,
      `alter table ${sql} add primary key (${key})`,
      `comment on table ${sql} is ${literal(`The legacy columns of ${rollout.table.sql}, kept by the rollout ${rollout.name} until nobody needs them any more.`)}`,
    ].join(';\n'),
    inverse: `drop table if exists ${sql}`,
    look: `to_regclass(${literal(sql)})::text`,
    back: null,
  }
}

/**
 * Triggers that keep the archive true from now on. They see a row as it is stored in the end, so they come after; they
 * read it from the table, since what another trigger wrote meanwhile is not in NEW. A statement trigger is not cloned to
 * partitions, and one of them may be truncated alone.
 */
export function keepArchive(rollout: Rollout, table: Table): Change {
  const kept = keptOf(rollout, table)
  const name = archiveFunction(rollout)
  const { row, update, truncate } = ARCHIVE_TRIGGERS
  const on = rollout.table.sql
  const changed = `${imageOf(kept, 'old')} operator(pg_catalog.*<>) ${imageOf(kept, 'new')}`
  const relations = [on, ...relationsBelow(table)]
  const always = (relation: string, trigger: string): string =>
    `alter table ${relation} enable always trigger ${quote(trigger)}`
  return {
    kind: 'archive',
    object: `triggers of ${archiveTable(rollout).sql}`,
    statement: [
      keepFunction(rollout, kept),
      `revoke execute on function ${name}() from public`,
      `create or replace trigger ${quote(row)} after insert or delete on ${on} for each row execute function ${name}()`,
      `create or replace trigger ${quote(update)} after update on ${on} for each row when (${changed}) execute function ${name}()`,
      ...[row, update].map((trigger) => always(on, trigger)),
      ...relations.flatMap((relation) => [
        `create or replace trigger ${quote(truncate)} after truncate on ${relation} for each statement execute function ${name}()`,
        always(relation, truncate),
      ]),
    ].join(';\n'),
    inverse: dropTriggers(rollout, relations).join(';\n'),
    look: look.trigger(on, row),
    back: null,
  }
}

/** Takes the triggers away, then their function. A partition that was detached has kept its own. */
export function dropTriggers(rollout: Rollout, relations: readonly string[]): string[] {
  const { row, update, truncate } = ARCHIVE_TRIGGERS
  return [
    ...[row, update].map((trigger) => `drop trigger if exists ${quote(trigger)} on ${rollout.table.sql}`),
    ...relations.map((relation) => `drop trigger if exists ${quote(truncate)} on ${relation}`),
    `do $sti$ declare kept record; begin
  for kept in select tgname, tgrelid::regclass as relation from pg_trigger
    where tgfoid = to_regprocedure(${literal(`${archiveFunction(rollout)}()`)}) and tgparentid = 0
  loop
    execute format('drop trigger %I on %s', kept.tgname, kept.relation);
  end loop;
end $sti$`,
    `drop function if exists ${archiveFunction(rollout)}()`,
  ]
}

const relationsBelow = ({ partitions }: Table): string[] => partitions.map((partition) => partition.sql)

/**
 * It never raises: the application must not fail because of the archive. A row that could not be kept is found by the
 * comparison, without which nothing is dropped.
 */
function keepFunction(rollout: Rollout, kept: Kept): string {
  const archive = archiveTable(rollout).sql
  const table = rollout.table.sql
  const key = kept.key.map((column) => column.sql).join(', ')
  const set = kept.legacy.map((column) => `${column.sql} = excluded.${column.sql}`).join(', ')
  return `create or replace function ${archiveFunction(rollout)}() returns trigger language plpgsql security definer
  set search_path = ${rollout.searchPath} as $sti$
begin
  if tg_op = 'TRUNCATE' then
    delete from ${archive} as a where not exists (select from ${table} as t where ${sameKey(kept, 't', 'a')});
    return null;
  end if;
  if tg_op <> 'INSERT' then
    delete from ${archive} as a where ${sameKey(kept, 'a', 'old')}
      and not exists (select from ${table} as t where ${sameKey(kept, 't', 'old')});
  end if;
  if tg_op <> 'DELETE' then
    insert into ${archive} as a (${listed(kept, null)})
      select ${listed(kept, 't')} from ${table} as t where ${sameKey(kept, 't', 'new')}
      on conflict (${key}) do update set ${set} where ${differs(kept, 'a', 'excluded')};
  end if;
  return null;
exception when others then
  return null;
end
$sti$`
}

const imageOf = (kept: Kept, row: string): string => `row(${listed(kept, row)})::record`
