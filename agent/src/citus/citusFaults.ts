import { formatQuantity } from '../format/format.ts'
import type { CitusTable } from './readCitusTable.ts'

/** The names that the sentences need, as SQL, and the same names as string constants. */
export interface CitusTableNames {
  readonly table: string
  readonly schema: string
  readonly tableLiteral: string
  readonly schemaLiteral: string
}

/** What Citus does with the rows of a table, as one clause: "Citus splits public.t by id into 32 shards on 2 nodes". */
function describeCitusTable(
  { type, distributionColumn, shards, nodes, version }: CitusTable,
  { table, schema }: CitusTableNames,
): string {
  const citus = `Citus ${version}`
  switch (type) {
    case 'distributed':
      return distributionColumn === null
        ? `${citus} keeps ${table} as a distributed table with one shard`
        : `${citus} splits ${table} by ${distributionColumn} into ${formatQuantity(shards, 'shard')} on ${formatQuantity(nodes, 'node')}`
    case 'reference':
      return `${citus} keeps a copy of ${table}, a reference table, on ${formatQuantity(nodes, 'node')}`
    case 'schema':
      return `${citus} keeps ${table} on the node of its schema ${schema} (schema-based sharding)`
    case 'local':
      return `${citus} manages ${table} as a local table of one node`
    case 'shard':
      return `${table} is a shard of a table that ${citus} splits`
  }
}

/** Why nothing at all can be done with the table over this connection, and what to do; null: it can be read and changed. */
export function wrongCitusNode(citus: CitusTable, names: CitusTableNames): string | null {
  const what = describeCitusTable(citus, names)
  if (citus.type === 'shard')
    return `${what}. Specify the table itself, and give the agent the address of the coordinator.`
  if (!citus.onCoordinator)
    return `${what}, and this connection is to a worker node, where Citus allows no change of it. Give the agent the address of the coordinator.`
  return null
}

/** Why nothing can be rolled out on a table that Citus manages, and what to do. */
export function citusFaults(citus: CitusTable, names: CitusTableNames): string[] {
  const what = describeCitusTable(citus, names)
  return [
    `${what}, and the agent does not roll out such a table: its rows are in shards, and Citus refuses the dual-write trigger there. ${undo(citus, names)}`,
  ]
}

/** The way that exists: a table that Citus does not manage. Citus distributes no table that has triggers. */
function undo({ type }: CitusTable, { schemaLiteral, tableLiteral }: CitusTableNames): string {
  const [back, again] =
    type === 'schema'
      ? [
          `the schema back to the coordinator first (SELECT citus_schema_undistribute(${schemaLiteral}))`,
          `SELECT citus_schema_distribute(${schemaLiteral})`,
        ]
      : [`the table back to the coordinator first (SELECT undistribute_table(${tableLiteral}))`, null]
  return `Take ${back}, and distribute it again${again === null ? '' : ` (${again})`} after the column drop, which removes the trigger.`
}
