import { SEARCH_PATH } from '../../database/connect.ts'
import { dollarQuote } from '../../dualWrite/deriveTrigger.ts'
import type { ReversibleChange } from '../../ddl/transactional.ts'
import { catalogDefinition } from '../../ddl/catalogDefinition.ts'
import { quoteLiteral, quoteIdentifier } from '../../rollout/identifiers.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import {
  ARCHIVE_TRIGGERS,
  archiveFunction,
  archiveTable,
  valuesDiffer,
  archiveLayout,
  columnList,
  keysMatch,
  type ArchiveLayout,
} from './archiveSql.ts'

/** The empty archive table: the key and the legacy columns, with their types and collations. */
export function archiveTableDdl(rollout: Rollout, table: Table): ReversibleChange {
  const layout = archiveLayout(rollout, table)
  const { sql } = archiveTable(rollout)
  const key = layout.key.map((column) => column.sql).join(', ')
  return {
    kind: 'archive',
    object: sql,
    statement: [
      `create table ${sql} as select ${columnList(layout, 't')} from ${rollout.table.sql} as t with no data`,
      `alter table ${sql} add primary key (${key})`,
      `comment on table ${sql} is ${quoteLiteral(`The legacy columns of ${rollout.table.sql}, archived by the rollout ${rollout.name}.`)}`,
    ].join(';\n'),
    inverse: `drop table if exists ${sql}`,
    definitionSql: `to_regclass(${quoteLiteral(sql)})::text`,
    definitionAfterRevert: null,
  }
}

/**
 * Triggers that keep the archive up to date. They fire AFTER and read the row from the table, because NEW lacks what
 * a later trigger wrote. Statement triggers are not cloned to partitions, and a partition may be truncated on its
 * own, so each relation gets its own.
 */
export function archiveTriggersDdl(rollout: Rollout, table: Table): ReversibleChange {
  const layout = archiveLayout(rollout, table)
  const name = archiveFunction(rollout)
  const { row, update, truncate } = ARCHIVE_TRIGGERS
  const on = rollout.table.sql
  const changed = `${rowImage(layout, 'old')} operator(pg_catalog.*<>) ${rowImage(layout, 'new')}`
  const relations = [on, ...partitionNames(table)]
  const enableAlways = (relation: string, trigger: string): string =>
    `alter table ${relation} enable always trigger ${quoteIdentifier(trigger)}`
  return {
    kind: 'archive',
    object: `triggers of ${archiveTable(rollout).sql}`,
    statement: [
      archiveFunctionSql(rollout, layout),
      `revoke execute on function ${name}() from public`,
      `create or replace trigger ${quoteIdentifier(row)} after insert or delete on ${on} for each row execute function ${name}()`,
      `create or replace trigger ${quoteIdentifier(update)} after update on ${on} for each row when (${changed}) execute function ${name}()`,
      ...[row, update].map((trigger) => enableAlways(on, trigger)),
      ...relations.flatMap((relation) => [
        `create or replace trigger ${quoteIdentifier(truncate)} after truncate on ${relation} for each statement execute function ${name}()`,
        enableAlways(relation, truncate),
      ]),
    ].join(';\n'),
    inverse: dropArchiveTriggersSql(rollout, relations).join(';\n'),
    definitionSql: catalogDefinition.trigger(on, row),
    definitionAfterRevert: null,
  }
}

/** Drops the triggers, then their function. A detached partition still has its own triggers. */
export function dropArchiveTriggersSql(rollout: Rollout, relations: readonly string[]): string[] {
  const { row, update, truncate } = ARCHIVE_TRIGGERS
  return [
    ...[row, update].map((trigger) => `drop trigger if exists ${quoteIdentifier(trigger)} on ${rollout.table.sql}`),
    ...relations.map((relation) => `drop trigger if exists ${quoteIdentifier(truncate)} on ${relation}`),
    `do ${dollarQuote(`declare kept record; begin
  for kept in select tgname, tgrelid::regclass as relation from pg_trigger
    where tgfoid = to_regprocedure(${quoteLiteral(`${archiveFunction(rollout)}()`)}) and tgparentid = 0
  loop
    execute format('drop trigger %I on %s', kept.tgname, kept.relation);
  end loop;
end`)}`,
    `drop function if exists ${archiveFunction(rollout)}()`,
  ]
}

const partitionNames = ({ partitions }: Table): string[] => partitions.map((partition) => partition.sql)

/**
 * The function never raises an error: the application must not fail because of the archive. The comparison, which
 * every drop requires, finds a row that could not be archived.
 */
function archiveFunctionSql(rollout: Rollout, layout: ArchiveLayout): string {
  const archive = archiveTable(rollout).sql
  const table = rollout.table.sql
  const key = layout.key.map((column) => column.sql).join(', ')
  const set = layout.legacy.map((column) => `${column.sql} = excluded.${column.sql}`).join(', ')
  return `create or replace function ${archiveFunction(rollout)}() returns trigger language plpgsql security definer
  set search_path = ${SEARCH_PATH} as ${dollarQuote(`
begin
  if tg_op = 'TRUNCATE' then
    delete from ${archive} as a where not exists (select from ${table} as t where ${keysMatch(layout, 't', 'a')});
    return null;
  end if;
  if tg_op <> 'INSERT' then
    delete from ${archive} as a where ${keysMatch(layout, 'a', 'old')}
      and not exists (select from ${table} as t where ${keysMatch(layout, 't', 'old')});
  end if;
  if tg_op <> 'DELETE' then
    insert into ${archive} as a (${columnList(layout, null)})
      select ${columnList(layout, 't')} from ${table} as t where ${keysMatch(layout, 't', 'new')}
      on conflict (${key}) do update set ${set} where ${valuesDiffer(layout, 'a', 'excluded')};
  end if;
  return null;
exception when others then
  return null;
end
`)}`
}

const rowImage = (layout: ArchiveLayout, row: string): string => `row(${columnList(layout, row)})::record`
