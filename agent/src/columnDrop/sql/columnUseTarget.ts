/** The table whose columns are to go, as its statements may name it. */
export interface ColumnUseTarget {
  /** It, and its partitions: each with its columns in their order. */
  readonly relations: readonly NamedRelation[]
  /** The columns that are to go. */
  readonly legacy: readonly string[]
}

export interface NamedRelation {
  readonly schema: string
  readonly name: string
  readonly columns: readonly string[]
}

/** The columns of any other relation; null: it is not known. Without a schema: of any of that name. */
export type ColumnLookup = (schema: string | null, name: string) => ReadonlySet<string> | null

/** Which of the legacy columns a statement names. */
export interface ColumnUses {
  readonly reads: readonly string[]
  readonly writes: readonly string[]
}

export function findTargetRelation(target: ColumnUseTarget, schema: string | null, name: string): NamedRelation | null {
  // Without a schema it is taken for ours: another search_path may not hide a use.
  return (
    target.relations.find((relation) => relation.name === name && (schema === null || relation.schema === schema)) ??
    null
  )
}
