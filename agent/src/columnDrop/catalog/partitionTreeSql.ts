/** The legacy columns of a table. */
export interface LegacyColumnSet {
  readonly oid: number
  readonly columns: readonly string[]
  /** The columns that identify a row. */
  readonly key: readonly string[]
}

/**
 * The CTEs `tree` (oid, level: the table and its partitions) and `legacy` (relation, number, name: their legacy
 * columns). $1: the table's oid, $2: the names as a jsonb array.
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

/** The SQL expression for a relation's qualified name. */
export const qualifiedNameSql = (relation: string, schema: string): string =>
  `format('%I.%I', ${schema}.nspname, ${relation}.relname)`
