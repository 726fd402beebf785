/**
 * All that the catalog knows of the legacy columns, of the table and each of its partitions, and of what depends on
 * them. Definitions are SQL with every name in its schema, as PostgreSQL itself writes them.
 */
export interface LegacyCatalog {
  /** `server_version_num`, such as 180004. */
  readonly serverVersion: number
  /** The table first, then its partitions of every level, parents before children. */
  readonly relations: readonly LegacyRelation[]
  /** What PostgreSQL drops together with the columns; the undo makes it again. */
  readonly indexes: readonly LegacyIndex[]
  readonly constraints: readonly LegacyConstraint[]
  readonly statistics: readonly LegacyStatistics[]
  /** What stands in the way: PostgreSQL would refuse the drop, or something outside the columns would break. */
  readonly blocking: readonly BlockingDependency[]
  /** Other tables that the drop locks: those that foreign keys of the columns refer to. */
  readonly alsoLocked: readonly string[]
  /** Some publication sends the table or a partition of it. */
  readonly published: boolean
  /** Of what depends on the columns; the migration asks for it again before it drops them. */
  readonly digest: string
}

export interface LegacyRelation {
  readonly oid: number
  /** Schema and name, quoted. */
  readonly sql: string
  /** The relation it is a partition of; null for the table. */
  readonly parent: string | null
  readonly partitioned: boolean
  /** In the order of the table. */
  readonly columns: readonly LegacyColumn[]
}

export interface LegacyColumn {
  readonly name: string
  readonly sql: string
  /** Its place in the table, from 1; dropped columns are counted. */
  readonly position: number
  readonly type: string
  /** The type below, where `type` is a domain with constraints: such a column is added as this and changed when it is filled. */
  readonly baseType: string | null
  /** Null: that of the type. */
  readonly collation: string | null
  readonly notNull: boolean
  readonly default: string | null
  readonly identity: 'always' | 'by default' | null
  /** Of an identity or a serial column: it goes with the column. */
  readonly sequence: LegacySequence | null
  /** Null: as the type has it. */
  readonly storage: 'plain' | 'external' | 'extended' | 'main' | null
  /** Null: the server's default. */
  readonly compression: 'pglz' | 'lz4' | null
  /** The statistics target; null: the server's default. */
  readonly statistics: number | null
  /** Such as `n_distinct=5`. */
  readonly options: readonly string[]
  readonly comment: string | null
  /** Privileges on this column alone, as GRANT statements. */
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
  /** The relation it is on. */
  readonly on: string
  /** `CREATE INDEX …`, not ONLY: parents come after their children, and take those in. */
  readonly definition: string
  readonly valid: boolean
  readonly tablespace: string | null
  readonly clustered: boolean
  readonly comment: string | null
  /** Statistics targets of expressions, by the number of the index's column. */
  readonly statistics: readonly { readonly column: number; readonly target: number }[]
}

export interface LegacyConstraint {
  readonly name: string
  /** The relation it is on. */
  readonly on: string
  readonly kind: 'check' | 'foreign key' | 'unique' | 'primary key' | 'exclusion' | 'not null'
  /** As after ADD CONSTRAINT name, with NOT VALID where it is not. */
  readonly definition: string
  readonly comment: string | null
  /** Of the index below: its name as SQL, storage options such as `fillfactor=70`, tablespace, and whether the table is clustered by it. */
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

/** One sentence for people is made of it: `kind` `identity` depends on `columns`. */
export interface BlockingDependency {
  /** Such as `view`, `rule`, `function`, `trigger`, `policy`, `publication`, `foreign key`, `generated column`, `key`. */
  readonly kind: string
  /** Its name, with what it is on. */
  readonly identity: string
  readonly columns: readonly string[]
  /** Why it stands in the way, or what to do, in a sentence. */
  readonly why: string
}

/** The type that a column is added with: that of a domain with constraints is given once it has its values. */
export const columnType = (column: LegacyColumn): string => column.baseType ?? column.type

export const collateClause = ({ collation }: LegacyColumn): string =>
  collation === null ? '' : ` collate ${collation}`
