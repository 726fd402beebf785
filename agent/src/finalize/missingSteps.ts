import type { Sql } from '../database/connect.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { findMissingReverseSync } from '../dualWrite/verifyTrigger.ts'
import { constraintName, indexName } from './objectNames.ts'

/** Steps that finalize still has to do; empty if the index, the constraint, the statistics, and reverse sync exist. */
export async function findMissingSteps(sql: Sql, rollout: Rollout, table: Table): Promise<string[]> {
  if (table.discriminator === null) return ['the column']
  const [existing] = await sql<{ index: boolean; constraint: boolean; statistics: boolean }[]>`
    select
      exists (select from pg_index i join pg_class c on c.oid = i.indexrelid
        where i.indrelid = ${table.oid}::oid and c.relname = ${indexName(rollout)} and i.indisvalid) as index,
      exists (select from pg_constraint where conrelid = ${table.oid}::oid and conname = ${constraintName(rollout)} and convalidated) as constraint,
      -- Only superusers can read pg_statistic itself.
      exists (select from pg_stats where schemaname = ${rollout.table.schema} and tablename = ${rollout.table.name}
        and attname = ${rollout.discriminator.column})
        or coalesce((select reltuples from pg_class where oid = ${table.oid}::oid), 0) = 0
        -- ANALYZE of an empty table leaves nothing in pg_stats, and a rewrite of it makes the row count unknown again.
        or not exists (select from (select ${table.oid}::oid as relid union select relid from pg_partition_tree(${table.oid}::oid::regclass)) tree
          where pg_relation_size(tree.relid) > 0) as statistics`
  const missingReverseSync = await findMissingReverseSync(sql, rollout, table)
  const notNull = rollout.file.constraint !== 'notNull' || table.discriminator.notNull
  return [
    ...(existing!.index ? [] : [`the index ${indexName(rollout)}`]),
    ...(existing!.constraint ? [] : [`the constraint ${constraintName(rollout)}`]),
    ...(notNull ? [] : ['NOT NULL']),
    ...(existing!.statistics ? [] : ['the statistics of the new column']),
    ...(missingReverseSync === null ? [] : [missingReverseSync]),
  ]
}
