/**
 * The catalog's information on the legacy columns, the table and its partitions, and the objects that depend on them.
 * Definitions are SQL with schema-qualified names, as PostgreSQL prints them.
 */
export interface LegacyCatalog {
  /** `server_version_num`, such as 180004. */
  readonly serverVersion: number
  /** The table first, then its partitions of every level, parents before children. */
  readonly relations: readonly LegacyRelation[]
  /** Objects that PostgreSQL drops with the columns and the undo recreates. */
  readonly indexes: readonly LegacyIndex[]
  readonly constraints: readonly LegacyConstraint[]
  readonly statistics: readonly LegacyStatistics[]
  /** Objects that block the drop: PostgreSQL would refuse it, or something else would break. */
  readonly blocking: readonly BlockingDependency[]
  /** Other tables that the drop locks: those referenced by foreign keys of the columns. */
  readonly alsoLocked: readonly string[]
  /** Columns that hold rows of the table, which keep PostgreSQL from rewriting it. */
  readonly rowTypeUses: readonly string[]
  /** True if a publication includes the table or one of its partitions. */
  readonly published: boolean
  /** Digest of the dependencies on the columns; the migration compares it before it drops them. */
  readonly digest: string
}

export interface LegacyRelation {
  readonly oid: number
  /** The quoted name with its schema. */
  readonly sql: string
  /** The parent of a partition; null for the table itself. */
  readonly parent: string | null
  readonly partitioned: boolean
  /** In the table's order. */
  readonly columns: readonly LegacyColumn[]
}

export interface LegacyColumn {
  readonly name: string
  readonly sql: string
  /** The attribute number, from 1; dropped columns have one too. */
  readonly position: number
  readonly type: string
  /**
   * The base type if `type` is a domain with constraints: the column is added with this type and changed once it is
   * filled.
   */
  readonly baseType: string | null
  /** Null: the collation of the type. */
  readonly collation: string | null
  readonly notNull: boolean
  readonly default: string | null
  readonly identity: 'always' | 'by default' | null
  /** The sequence of an identity or serial column, which is dropped with the column. */
  readonly sequence: LegacySequence | null
  /** Null: the type's default. */
  readonly storage: 'plain' | 'external' | 'extended' | 'main' | null
  /** Null: the server's default. */
  readonly compression: 'pglz' | 'lz4' | null
  /** The statistics target; null: the server's default. */
  readonly statistics: number | null
  /** Such as `n_distinct=5`. */
  readonly options: readonly string[]
  readonly comment: string | null
  /** Privileges on this column, as GRANT statements. */
  readonly grants: readonly string[]
}

export interface LegacySequence {
  readonly sql: string
  /** `as bigint increment by 1 …` */
  readonly options: string
  readonly grants: readonly string[]
}

export interface LegacyIndex {
  readonly name: string
  readonly sql: string
  /** The relation that it belongs to. */
  readonly on: string
  /** `CREATE INDEX …` without ONLY: parents are created after their children and attach them. */
  readonly definition: string
  readonly valid: boolean
  readonly tablespace: string | null
  readonly clustered: boolean
  readonly comment: string | null
  /** Statistics targets of expressions by index column number. */
  readonly statistics: readonly { readonly column: number; readonly target: number }[]
}

export interface LegacyConstraint {
  readonly name: string
  /** The relation that it belongs to. */
  readonly on: string
  readonly kind: 'check' | 'foreign key' | 'unique' | 'primary key' | 'exclusion' | 'not null'
  /** The text after ADD CONSTRAINT name, with NOT VALID if the constraint is not valid. */
  readonly definition: string
  readonly comment: string | null
  /**
   * The underlying index: its name as SQL, storage options such as `fillfactor=70`, tablespace, and true if the table
   * is clustered on it.
   */
  readonly index: {
    readonly sql: string
    readonly options: readonly string[]
    readonly tablespace: string | null
    readonly clustered: boolean
  } | null
}

export interface LegacyStatistics {
  readonly name: string
  readonly sql: string
  readonly on: string
  readonly definition: string
  readonly target: number | null
  readonly comment: string | null
}

export interface BlockingDependency {
  /** Such as `view`, `rule`, `function`, `trigger`, `policy`, `publication`, `foreign key`, `generated column`, `key`. */
  readonly kind: string
  /** The name, including the object that it belongs to. */
  readonly identity: string
  readonly columns: readonly string[]
  /** Why it blocks the drop, and what to do; without a period at the end. */
  readonly why: string
}

/** The one sentence for an object that blocks the drop. */
export const describeDependency = ({ kind, identity, columns, why }: BlockingDependency): string =>
  `${kind} ${identity} depends on ${columns.join(', ')}: ${why}`

/** The type that a column is added with: that of a domain with constraints is given once it has its values. */
export const columnType = (column: LegacyColumn): string => column.baseType ?? column.type

export const collateClause = ({ collation }: LegacyColumn): string =>
  collation === null ? '' : ` collate ${collation}`
