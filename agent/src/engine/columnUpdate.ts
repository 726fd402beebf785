import type { KeyColumn } from '../rollout/rollout.ts'

/** The change of a bulk update. All expressions are SQL on the row `t`. */
export interface ColumnUpdate {
  readonly rollout: string
  /** Primary key of the table, which identifies failed rows. */
  readonly key: readonly KeyColumn[]
  readonly column: string
  readonly value: string
  /** Condition of the rows that need the change. */
  readonly needsUpdate: string
  /** Condition of the rows without a value, which are failed rows. Null: there are none. */
  readonly unmapped: string | null
  /** The rows are in shards of Citus, whose nodes do not know the settings of the session; null: they are not. */
  readonly inShards: ShardedRows | null
}

/** Rows in shards of Citus. */
export interface ShardedRows {
  /** Nodes that have shards. */
  readonly nodes: number
  lockTimeoutMs(): number
}

/** A condition on `t` and the values of its parameters. */
export interface RowCondition {
  readonly condition: string
  readonly values: readonly string[]
}
