import type { Sql } from '../../database/connect.ts'

/** Which columns of which table. */
export interface LegacyColumnSet {
  readonly oid: number
  readonly columns: readonly string[]
  /** The columns that rows are known by. */
  readonly key: readonly string[]
}

/**
 * CTEs `tree` (oid, level: the table and its partitions) and `legacy` (relation, number, name: the columns in each of
 * them). $1: the table's oid, $2: the names as a jsonb array.
 */
export const PARTITION_TREE_CTES = `tree (oid, level) as materialized (
    select $1::text::oid, 0 union select relid, level from pg_partition_tree($1::text::oid::regclass)
  ), legacy (relation, number, name) as materialized (
    select a.attrelid, a.attnum, a.attname::text from tree join pg_attribute a on a.attrelid = tree.oid
    where a.attnum > 0 and not a.attisdropped and a.attname in (select jsonb_array_elements_text($2::text::jsonb))
  )`

export const partitionTreeParameters = ({ oid, columns }: LegacyColumnSet): [string, string] => [
  String(oid),
  JSON.stringify(columns),
]

/** CTE `tree` (oid): the table and its partitions of every level. */
export const partitionTreeCte = (sql: Sql, oid: number) => sql`tree as materialized (
    select ${oid}::oid as oid union select relid from pg_partition_tree(${oid}::oid::regclass)
  )`

/** A relation's name as SQL, of a pg_class and its pg_namespace. */
export const qualifiedNameSql = (relation: string, schema: string): string =>
  `format('%I.%I', ${schema}.nspname, ${relation}.relname)`
