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
}

/** A condition on `t` and the values of its parameters. */
export interface RowCondition {
  readonly condition: string
  readonly values: readonly string[]
}
