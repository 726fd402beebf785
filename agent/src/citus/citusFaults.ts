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

/** What of the rollout file and its table decides if the rows can be written in shards. */
export interface ShardedRollout {
  readonly name: string
  readonly partitioned: boolean
  readonly storage: string | null
  readonly usesTrigger: boolean
  readonly usesPrefill: boolean
  readonly mayBeUnmapped: boolean
  readonly dependsOnSession: boolean
  readonly legacyColumns: readonly string[]
  /** The application's own triggers for each row. */
  readonly rowTriggers: readonly string[]
}

/** Why nothing can be rolled out on a table that Citus manages, and what to do; empty: nothing is in the way. */
export function citusFaults(citus: CitusTable, rollout: ShardedRollout, names: CitusTableNames): string[] {
  const what = describeCitusTable(citus, names)
  const refuse = (reason: string, advice = ''): string => `${what}, and ${reason}. ${advice}${undo(citus, names)}`
  if (citus.type === 'reference')
    return [
      refuse('its copies have their rows in different places, so the backfill would write other rows on each node'),
    ]
  return [
    ...(citus.copies > 1
      ? [
          refuse(
            `each shard has ${citus.copies} copies, with the rows in different places: the backfill would write other rows on each node`,
          ),
        ]
      : []),
    ...(rollout.partitioned ? [refuse('it is partitioned, which was not tested in shards')] : []),
    ...(rollout.storage !== null
      ? [refuse(`its access method is ${rollout.storage}, which the backfill cannot update`)]
      : []),
    ...(rollout.usesTrigger
      ? []
      : [
          refuse(
            'without the dual-write trigger, rows that move between pages of a shard could be missed',
            'Set dualWrite: trigger. ',
          ),
        ]),
    ...(/[^a-z0-9_]/.test(rollout.name)
      ? [
          refuse(
            `Citus does not quote the names of functions when it passes on their rights, which the rollout’s name ${rollout.name} would need`,
            'Use only a to z, 0 to 9 and _ in the name of the rollout. ',
          ),
        ]
      : []),
    ...(rollout.usesPrefill
      ? [refuse('prefill was not tested in shards', 'Remove prefill from the rollout file. ')]
      : []),
    ...(rollout.mayBeUnmapped
      ? [refuse('a row that no type matches cannot be recorded from its shard', 'Add otherwise to the rollout file. ')]
      : []),
    ...(rollout.dependsOnSession
      ? [
          refuse(
            'what an expression derives depends on settings of the session, which the nodes do not get',
            'Use expressions without texts of floats, dates and times. ',
          ),
        ]
      : []),
    ...(citus.distributionColumn !== null && rollout.legacyColumns.includes(citus.distributionColumn)
      ? [
          refuse(
            'that column is a legacy column: a restored value would leave the row in a shard where Citus does not look for it',
            'Derive the type from other columns. ',
          ),
        ]
      : []),
    ...(rollout.rowTriggers.length > 0
      ? [
          refuse(
            `triggers of the application fire there for each row (${rollout.rowTriggers.join(', ')}), which was not tested`,
            'Drop them. ',
          ),
        ]
      : []),
  ]
}

/** What is different for a table in shards. The steps are those of a preparation. */
export function citusFindings(
  citus: CitusTable,
  names: CitusTableNames,
): { step: 'backfill'; refused: false; text: string }[] {
  return [
    {
      step: 'backfill',
      refused: false,
      text: `${describeCitusTable(citus, names)}. The throttle reads every node that has a shard, except its disk, which is not in PostgreSQL: name it in host, by PromQL. If another transaction holds a row, the other rows of its batch wait with it.`,
    },
  ]
}

/** Why a rehearsal is refused. */
export function rehearsalRefusal(citus: CitusTable, names: CitusTableNames): string {
  return `${describeCitusTable(citus, names)}. A rehearsal works on a copy that is not distributed, so it says nothing of the shards: rehearse on a test cluster, with the rollout itself.`
}

/** The way that exists: a table that Citus does not manage. Citus distributes no table that has triggers. */
function undo({ type }: CitusTable, { schemaLiteral, tableLiteral }: CitusTableNames): string {
  const [back, again] =
    type === 'schema'
      ? [
          `the schema back to the coordinator (SELECT citus_schema_undistribute(${schemaLiteral}))`,
          `SELECT citus_schema_distribute(${schemaLiteral})`,
        ]
      : [`the table back to the coordinator (SELECT undistribute_table(${tableLiteral}))`, null]
  return `To roll out the whole way, take ${back}, and distribute it again${again === null ? '' : ` (${again})`} after the column drop, which removes the trigger.`
}
