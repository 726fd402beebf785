import { queryShards } from '../../citus/queryShards.ts'
import { asciiLiteral } from '../../database/sqlLiteral.ts'
import type { Sql } from '../../database/connect.ts'
import { quoteIdentifier } from '../../rollout/identifiers.ts'
import type { Rollout, Table } from '../../rollout/rollout.ts'
import { ARCHIVE_TRIGGERS, archiveFunction, archiveTable, enabledArchiveTrigger } from './archiveSql.ts'

interface ArchiveStateRow {
  readonly table: boolean
  readonly off: { readonly relation: string; readonly trigger: string } | null
  readonly text: string | null
  readonly journaled: boolean
}

/** Null if the archive exists and its triggers keep it up to date; otherwise one sentence that says what is wrong. */
export async function archiveFault(sql: Sql, rollout: Rollout, table: Table): Promise<string | null> {
  const { row, update, truncate } = ARCHIVE_TRIGGERS
  const archive = archiveTable(rollout, table)
  const enabled = enabledArchiveTrigger(table)
  const [archiveState] = await sql<ArchiveStateRow[]>`
    with tree as materialized (
      select ${table.oid}::oid as oid, true as leaf
      union select relid, isleaf from pg_partition_tree(${table.oid}::oid::regclass)
    ), wanted as (
      select oid, name from tree, unnest(array[${row}::text, ${update}::text]) name
      union all select oid, ${truncate} from tree where leaf or oid = ${table.oid}::oid
    )
    select to_regclass(${archive.sql}) is not null as table,
      (select jsonb_build_object('relation', w.oid::regclass::text, 'trigger', w.name) from wanted w
        where not exists (select from pg_trigger t where t.tgrelid = w.oid and t.tgname = w.name and t.tgenabled = ${enabled}
          and t.tgfoid = to_regprocedure(${`${archiveFunction(rollout)}()`}))
        order by w.oid, w.name limit 1) as off,
      p.prosrc as text,
      exists (select from sti.change c where c.rollout = ${rollout.name} and c.kind = 'archive' and c.reverted_at is null
        and position(p.prosrc in c.statement) > 0) as journaled
    from (select 1) one left join pg_proc p on p.oid = to_regprocedure(${`${archiveFunction(rollout)}()`})`
  if (!archiveState!.table) return `The archive ${archive.sql} does not exist.`
  if (archiveState!.text === null)
    return `The function ${archiveFunction(rollout)} of the archive’s triggers does not exist.`
  if (archiveState!.off !== null)
    return `Trigger ${quoteIdentifier(archiveState!.off.trigger)} of the archive does not exist on ${archiveState!.off.relation}, or is not ${enabled === 'A' ? 'ENABLE ALWAYS' : 'enabled'}.`
  if (!archiveState!.journaled) return 'The function of the archive’s triggers was changed outside STI.'
  return table.citus === null ? null : await findShardFault(sql, rollout, table)
}

/** Citus has created the triggers on every shard, with the function on its node, next to the shard of the archive. */
async function findShardFault(sql: Sql, rollout: Rollout, table: Table): Promise<string | null> {
  const name = asciiLiteral(`${archiveFunction(rollout)}()`)
  const archive = asciiLiteral(archiveTable(rollout, table).sql)
  const [fault] = await queryShards<{ shard: string; triggers: boolean; archive: boolean }>(
    sql,
    rollout.table.sql,
    (shards) => `select s.shard::text, s.triggers, s.archive from (
        select r.shard, (select pg_catalog.count(*) >= 2 from pg_catalog.pg_trigger t where t.tgrelid = r.shard
            and t.tgfoid = pg_catalog.to_regprocedure(${name}) and t.tgenabled = 'O' and (t.tgtype operator(pg_catalog.&) 1::int2) operator(pg_catalog.=) 1::int2) as triggers,
          exists (select from pg_catalog.pg_dist_shard own join pg_catalog.pg_dist_shard a
            on a.shardminvalue is not distinct from own.shardminvalue
            where own.logicalrelid = pg_catalog.to_regclass(${asciiLiteral(rollout.table.sql)})
              and pg_catalog.to_regclass(pg_catalog.shard_name(own.logicalrelid, own.shardid)) = r.shard
              and a.logicalrelid = pg_catalog.to_regclass(${archive})
              and pg_catalog.to_regclass(pg_catalog.shard_name(a.logicalrelid, a.shardid)) is not null) as archive
        from (${shards}) as r (shard) where r.shard is not null) s
      where not s.triggers or not s.archive order by 1`,
  )
  if (fault === undefined) return null
  return fault.triggers
    ? `Shard ${fault.shard} on ${fault.node} has no shard of the archive on its node.`
    : `Shard ${fault.shard} on ${fault.node} does not have the triggers of the archive, or they are not enabled.`
}
