import type { Sql } from '../database/connect.ts'
import { asciiLiteral } from '../database/sqlLiteral.ts'

/**
 * One text that is one transaction on the shards of a table. Citus sends what SET LOCAL sets to the nodes: the settings of
 * a session are those of the coordinator alone, so a worker would wait for a lock without end. Citus takes no condition on
 * the place of a row together with a table of the coordinator, so the checkpoint is a statement of its own.
 */
export function shardTransaction(parts: {
  readonly settings: Readonly<Record<string, string>>
  /** The fence, which raises if another agent holds what the transaction is for, then the rows. */
  readonly work: string
  readonly checkpoint: string
}): string {
  const settings = Object.entries(parts.settings).map(([name, value]) => `set local ${name} = ${asciiLiteral(value)}`)
  return [
    'begin',
    `set local citus.propagate_set_commands = 'local'`,
    `do ${asciiLiteral(`begin ${settings.map((text) => `execute ${asciiLiteral(text)};`).join(' ')} end`)}`,
    parts.work,
    parts.checkpoint,
    'commit',
  ].join(';\n')
}

/** Citus sends the whole text of a command to the nodes: within a block, that is the command alone. */
export const commandOfItsOwn = (text: string): string =>
  `do ${asciiLiteral(`begin execute ${asciiLiteral(text)}; end`)}`

/** Kinds of statements in a transaction of DDL that are not about the table: they run as they are. */
const PLAIN_STATEMENTS = new Set([
  'TransactionStmt',
  'VariableSetStmt',
  'DoStmt',
  'DiscardStmt',
  'InsertStmt',
  'UpdateStmt',
])

/**
 * A transaction of DDL whose commands Citus carries to every shard. Its second and later commands need one connection per node, and
 * it refuses triggers on shards unless the session asks for them.
 */
export function shardDdlTransaction(statements: readonly { readonly kind: string; readonly text: string }[]): string {
  return statements
    .flatMap(({ kind, text }) =>
      PLAIN_STATEMENTS.has(kind)
        ? [text, ...(kind === 'TransactionStmt' && text.trim() === 'begin' ? DDL_SETTINGS : [])]
        : [commandOfItsOwn(text)],
    )
    .join(';\n')
}

/** PL/pgSQL: Citus refuses a function command after a statement that had several connections to a node. */
export const ONE_CONNECTION_PER_NODE_SQL = `perform set_config('citus.multi_shard_modify_mode', 'sequential', true);`

/** Settings of a transaction of DDL in shards. */
export const DDL_SETTINGS = [
  'set local citus.enable_unsafe_triggers = on',
  `set local citus.multi_shard_modify_mode = 'sequential'`,
]

/**
 * Asks Citus to remove the earlier copies of shards that moved now, and not at its next turn. Nothing depends on its
 * success: versions before 11.2 do not have the procedure, and a copy on a node that does not answer stays.
 */
export async function removeOrphanedShards(sql: Sql): Promise<void> {
  await sql.unsafe('call pg_catalog.citus_cleanup_orphaned_resources()').catch(() => undefined)
}
