import { distributeLikeSql } from '../../citus/distributeLike.ts'
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
  archiveLayout,
  columnList,
  keysMatch,
  overwriteArchived,
  rowsDiffer,
} from './archiveSql.ts'

/** The empty archive table: the key and the legacy columns, with their types and collations. */
export function archiveTableDdl(rollout: Rollout, table: Table): ReversibleChange {
  const layout = archiveLayout(rollout, table)
  const { sql } = archiveTable(rollout, table)
  const key = layout.key.map((column) => column.sql).join(', ')
  return {
    kind: 'archive',
    object: sql,
    statement: [
      `create table ${sql} as select ${columnList(layout, 't')} from ${rollout.table.sql} as t with no data`,
      `alter table ${sql} add primary key (${key})`,
      `comment on table ${sql} is ${quoteLiteral(`The legacy columns of ${rollout.table.sql}, archived by the rollout ${rollout.name}.`)}`,
      // The archive of a row is in a shard on the node of the row, where its trigger can write it.
      ...(table.citus === null ? [] : [distributeLikeSql(table.citus, sql, rollout.table.sql)]),
    ].join(';\n'),
    inverse: `drop table if exists ${sql}`,
    definitionSql: `to_regclass(${quoteLiteral(sql)})::text`,
    definitionAfterRevert: null,
  }
}

/**
 * Triggers that keep the archive up to date. They fire AFTER and read the row from the table, because NEW lacks what
 * a later trigger wrote. Statement triggers are not cloned to partitions, and a partition may be truncated on its
 * own, so each relation gets its own. On Citus, each shard gets the row triggers, and they do not fire while Citus copies
 * a shard by logical replication, since the shard of the archive is copied as well. On a table outside of Citus, they are ENABLE ALWAYS.
 */
export function archiveTriggersDdl(rollout: Rollout, table: Table): ReversibleChange {
  const layout = archiveLayout(rollout, table)
  const name = archiveFunction(rollout)
  const { row, update, truncate } = ARCHIVE_TRIGGERS
  const on = rollout.table.sql
  const changed = rowsDiffer([...layout.key, ...layout.legacy], 'old', 'new')
  const relations = [on, ...partitionNames(table)]
  const enableAlways = (relation: string, trigger: string): string[] =>
    table.citus === null ? [`alter table ${relation} enable always trigger ${quoteIdentifier(trigger)}`] : []
  return {
    kind: 'archive',
    object: `triggers of ${archiveTable(rollout, table).sql}`,
    statement: [
      archiveFunctionSql(rollout, table),
      `revoke execute on function ${name}() from public`,
      `create or replace trigger ${quoteIdentifier(row)} after insert or delete on ${on} for each row execute function ${name}()`,
      `create or replace trigger ${quoteIdentifier(update)} after update on ${on} for each row when (${changed}) execute function ${name}()`,
      ...[row, update].flatMap((trigger) => enableAlways(on, trigger)),
      ...relations.flatMap((relation) => [
        `create or replace trigger ${quoteIdentifier(truncate)} after truncate on ${relation} for each statement execute function ${name}()`,
        ...enableAlways(relation, truncate),
      ]),
    ].join(';\n'),
    inverse: dropArchiveTriggersSql(rollout, table).join(';\n'),
    definitionSql: catalogDefinition.trigger(on, row),
    definitionAfterRevert: null,
  }
}

/**
 * Drops the triggers, then their function. A detached partition still has its own triggers, and so has the earlier copy of
 * a shard that Citus moved.
 */
export function dropArchiveTriggersSql(rollout: Rollout, table: Pick<Table, 'partitions' | 'citus'>): string[] {
  const { row, update, truncate } = ARCHIVE_TRIGGERS
  const relations = [rollout.table.sql, ...table.partitions.map((partition) => partition.sql)]
  const triggers = [
    ...[row, update].map((trigger) => `drop trigger if exists ${quoteIdentifier(trigger)} on ${rollout.table.sql}`),
    ...relations.map((relation) => `drop trigger if exists ${quoteIdentifier(truncate)} on ${relation}`),
  ]
  if (table.citus !== null) return [...triggers, `drop function if exists ${archiveFunction(rollout)}() cascade`]
  return [
    ...triggers,
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
function archiveFunctionSql(rollout: Rollout, table: Table): string {
  const body = table.citus === null ? archiveFunctionBody(rollout, table) : shardFunctionBody(rollout, table)
  return `create or replace function ${archiveFunction(rollout)}() returns trigger language plpgsql security definer
  set search_path = ${SEARCH_PATH} as ${dollarQuote(body)}`
}

function archiveFunctionBody(rollout: Rollout, inspected: Table): string {
  const layout = archiveLayout(rollout, inspected)
  const archive = archiveTable(rollout, inspected).sql
  const table = rollout.table.sql
  return `
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
      ${overwriteArchived(layout)};
  end if;
  return null;
exception when others then
  return null;
end
`
}

/**
 * The same in a shard: it reads and writes relations of its own node only. The shard of the archive that belongs to it has
 * the same range of hashes, also after shards were moved or split. TRUNCATE of the whole table fires a trigger of the table.
 */
function shardFunctionBody(rollout: Rollout, table: Table): string {
  const layout = archiveLayout(rollout, table)
  const archive = archiveTable(rollout, table).sql
  const text = (sql: string): string => quoteLiteral(sql)
  return `
declare
  here constant text := format('%I.%I', tg_table_schema, tg_table_name);
  archive text;
begin
  select shard_name(a.logicalrelid, a.shardid) into archive
  from pg_dist_shard s join pg_dist_shard a on a.shardminvalue is not distinct from s.shardminvalue
  where s.shardid = substring(tg_table_name from '_([0-9]{1,18})$')::bigint
    and s.logicalrelid = to_regclass(${text(rollout.table.sql)}) and a.logicalrelid = to_regclass(${text(archive)});
  if archive is null then
    if tg_op = 'TRUNCATE' then delete from ${archive}; end if;
    return null;
  end if;
  if tg_op = 'TRUNCATE' then
    execute 'delete from ' || archive || ' as a where not exists (select from ' || here || ${text(` as t where ${keysMatch(layout, 't', 'a')})`)};
    return null;
  end if;
  if tg_op <> 'INSERT' then
    execute 'delete from ' || archive || ${text(` as a where ${keysMatch(layout, 'a', '($1)')} and not exists (select from `)}
      || here || ${text(` as t where ${keysMatch(layout, 't', '($1)')})`)} using old;
  end if;
  if tg_op <> 'DELETE' then
    execute 'insert into ' || archive || ${text(` as a (${columnList(layout, null)}) select ${columnList(layout, 't')} from `)}
      || here || ${text(` as t where ${keysMatch(layout, 't', '($1)')} ${overwriteArchived(layout)}`)} using new;
  end if;
  return null;
exception when others then
  return null;
end
`
}
