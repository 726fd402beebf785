import { asciiLiteral } from '../database/sqlLiteral.ts'
import type { CitusTable } from './readCitusTable.ts'

/**
 * The statement that lets Citus manage the table `name` in the way of another one: split by the same column into shards on the
 * nodes of those of `colocateWith` ('none': on nodes that Citus chooses), or local.
 */
export function distributeLikeSql(
  { type, distributionColumn }: Pick<CitusTable, 'type' | 'distributionColumn'>,
  name: string,
  colocateWith: string,
): string {
  const table = asciiLiteral(name)
  if (type === 'local') return `select pg_catalog.citus_add_local_table_to_metadata(${table})`
  const column = distributionColumn === null ? 'null' : asciiLiteral(distributionColumn)
  // Citus may have distributed a new table of a schema itself.
  return `select pg_catalog.create_distributed_table(${table}, ${column}, colocate_with => ${asciiLiteral(colocateWith)})
    where not exists (select from pg_catalog.pg_dist_partition where logicalrelid = pg_catalog.to_regclass(${table}))`
}
