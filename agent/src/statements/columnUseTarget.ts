/** The table whose columns will be dropped, with the names that statements may use for it. */
export interface ColumnUseTarget {
  /** The table and its partitions, each with its columns in order. */
  readonly relations: readonly NamedRelation[]
  /** The columns that will be dropped. */
  readonly legacy: readonly string[]
}

export interface NamedRelation {
  readonly schema: string
  readonly name: string
  readonly columns: readonly string[]
}

/**
 * Returns the columns of another relation; null if it is unknown. Without a schema, any relation of that name
 * matches.
 */
export type ColumnLookup = (schema: string | null, name: string) => ReadonlySet<string> | null

/** The legacy columns that a statement uses. */
export interface ColumnUses {
  readonly reads: readonly string[]
  readonly writes: readonly string[]
  /**
   * True if it reads the columns only through `*` or whole rows, and neither names one nor depends on their number or order:
   * it does not fail without them.
   */
  readonly onlyThroughStar: boolean
  /** True if its result has every column of the table, also those that are added later: it returns `*`. */
  readonly returnsAllColumns: boolean
}

export function findTargetRelation(target: ColumnUseTarget, schema: string | null, name: string): NamedRelation | null {
  // An unqualified name is assumed to be the target table: a different search_path must not hide a use.
  return (
    target.relations.find((relation) => relation.name === name && (schema === null || relation.schema === schema)) ??
    null
  )
}
