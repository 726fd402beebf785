import type { KeyColumn } from '../rollout/rollout.ts'

/** What is done to rows, as SQL on `t`. */
export interface ColumnUpdate {
  readonly rollout: string
  /** The table's primary key, by which failed rows are known. */
  readonly key: readonly KeyColumn[]
  readonly column: string
  readonly value: string
  /** Which rows need it. */
  readonly needsUpdate: string
  /** Which rows can be given no value: they are failed rows. Null: there are none. */
  readonly unmapped: string | null
}

/** Which rows, on `t`, with its parameters. */
export interface RowCondition {
  readonly condition: string
  readonly values: readonly string[]
}
