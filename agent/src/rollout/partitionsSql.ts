import { quoteLiteral } from './identifiers.ts'

/** A query of the oids of a table and its partitions. `table` is SQL, with its schema. */
export function partitionsSql(table: string): string {
  const oid = `to_regclass(${quoteLiteral(table)})`
  return `select ${oid} union all select relid from pg_partition_tree(${oid})`
}
