import type { Sql } from '../database/connect.ts'

/** The CTE `tree` (oid): the table and its partitions at every level. */
export const partitionTreeCte = (sql: Sql, oid: number) => sql`tree as materialized (
    select ${oid}::oid as oid union select relid from pg_partition_tree(${oid}::oid::regclass)
  )`
