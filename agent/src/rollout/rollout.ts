import type { RolloutFile } from './rolloutFile.ts'

/** A rollout file, checked as far as it can be without a database, and compiled to SQL. Immutable. */
export interface Rollout {
  readonly name: string
  readonly path: string
  /** The file's text as it was read, and the SHA-256 of it in hex: operations and the trigger pin the hash. */
  readonly text: string
  readonly hash: string
  readonly file: RolloutFile
  readonly table: QualifiedName
  readonly discriminator: { readonly column: string; readonly sql: string; readonly dataType: string }
  /** Every type the file names, `otherwise` last. */
  readonly types: readonly string[]
  readonly legacyColumns: readonly string[]
  /** No `otherwise`: the derived expression is NULL for a row that no type matches. */
  readonly mayBeUnmapped: boolean
  /**
   * The derived type of a row as one SQL expression of the discriminator's data type, its columns qualified:
   * `derive('new')` gives `case when (new."is_truck") then 'Truck'::text … end`.
   */
  derive(qualifier: string): string
  /** The same choice with a value of its own for each of `types`, in their order, and `none` where no type matches. */
  caseByType(qualifier: string, values: readonly string[], none: string): string
  /** Legacy columns that some `when` reads. */
  readonly conditionColumns: readonly string[]
  /**
   * What the legacy columns are to be for a row of this type: column, and a constant as SQL; at least every column of
   * `reads`. Null with `restore: none`. Throws when the file does not name the type.
   */
  restoreValues(type: string): ReadonlyMap<string, string> | null
  /** The application's own UPDATE triggers and rules that the file speaks of, by their name in the catalog. */
  readonly declaredTriggers: ReadonlyMap<string, 'harmless' | 'skips'>
  /** `file:line:column` of a value of the file, such as `place(['types', 0, 'when'])`. */
  locate(path: readonly PropertyKey[]): string
  /** `search_path` under which every expression of this file is evaluated, at boot, in batches and in the trigger. */
  readonly searchPath: string
}

export interface QualifiedName {
  readonly schema: string
  readonly name: string
  /** Both quoted, ready for SQL. */
  readonly sql: string
}

/** What the catalog says of the table now. Read again before each operation. */
export interface Table {
  readonly oid: number
  readonly partitioned: boolean
  readonly partitions: readonly { readonly oid: number; readonly sql: string }[]
  /** The primary key's columns in order (or of the unique, not null index we walk). */
  readonly key: readonly KeyColumn[]
  readonly columns: readonly Column[]
  /** The discriminator as the table has it, or null. */
  readonly discriminator: Column | null
  /** Of the table, and those of its partitions that do not come from it. */
  readonly triggers: readonly Trigger[]
  /** Names of the application's rules ON UPDATE, of the table and its partitions. */
  readonly updateRules: readonly string[]
  readonly secondaryIndexes: readonly string[]
  /** CHECK, foreign keys of this table, and EXCLUDE. */
  readonly constraints: readonly { readonly name: string; readonly definition: string }[]
  /** reltuples over all leaf partitions; null while one that has pages was never analyzed. */
  readonly estimatedRows: number | null
  /** Heap and TOAST of all leaf partitions, without indexes. */
  readonly bytes: number
}

export interface Column {
  readonly name: string
  readonly sql: string
  /** format_type with the schema always visible, such as `character varying(20)` or `"app"."vehicle type"`. */
  readonly type: string
  /** Name of the base type (below a domain) in pg_catalog, such as `bool`, `int4`, `text`; `"app"."kind"` elsewhere. */
  readonly baseType: string
  /** The labels of an enum, in order; null for every other type. */
  readonly enumLabels: readonly string[] | null
  readonly notNull: boolean
  readonly generated: boolean
  readonly identity: 'always' | 'by default' | null
  /** The default's expression; of a generated column, the expression it is generated from. */
  readonly default: string | null
}

export interface KeyColumn {
  readonly name: string
  readonly sql: string
  readonly type: string
}

export interface Trigger {
  readonly name: string
  /** The table or partition that it is on, as SQL. */
  readonly on: string
  readonly timing: 'before' | 'after' | 'instead of'
  readonly onInsert: boolean
  readonly onUpdate: boolean
  /** UPDATE OF these columns; null: an update of any column fires it. */
  readonly updateOf: readonly string[] | null
  readonly onDelete: boolean
  readonly onTruncate: boolean
  readonly forEachRow: boolean
  readonly enabled: 'origin' | 'always' | 'replica' | 'disabled'
  readonly function: string
  /** Of its definition and the text of its function. */
  readonly digest: string
  /** The dual-write trigger of this agent. */
  readonly ours: boolean
  readonly internal: boolean
}
