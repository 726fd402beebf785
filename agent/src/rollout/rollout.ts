import type { CitusTable } from '../citus/readCitusTable.ts'
import type { QualifiedName } from './identifiers.ts'
import type { RowSource } from './expression.ts'
import type { RestoreEntry, RolloutFile } from './rolloutFile.ts'

/** What a write of a type alone makes of one legacy column. */
export interface RestoreValue {
  readonly kind: 'constant' | 'keep' | 'expression'
  /** The constant or the expression, as in the file or as PostgreSQL resolved its names. */
  readonly text: string
  /** The value as SQL, over a row as it is before it is restored. */
  sql(row: RowSource): string
}

/** A rollout file that was checked without a database and compiled to SQL. Immutable. */
export interface Rollout {
  readonly name: string
  readonly path: string
  /** The text of the file, and its SHA-256 in hex. */
  readonly text: string
  readonly hash: string
  /** The hash of what derives, to which operations and the trigger are bound (derivation.ts). */
  readonly derivationHash: string
  readonly file: RolloutFile
  readonly table: QualifiedName
  readonly discriminator: { readonly column: string; readonly sql: string; readonly dataType: string }
  /** Every type of the file, `otherwise` last. */
  readonly types: readonly string[]
  readonly legacyColumns: readonly string[]
  /** Columns that expressions read and that stay: never restored, archived or dropped. */
  readonly permanentColumns: readonly string[]
  /** True without `otherwise`: the derived type is NULL for a row that no type matches. */
  readonly mayBeUnmapped: boolean
  /**
   * The derived type of a row as one SQL expression of the discriminator's data type, its columns qualified:
   * `derive('new')` returns `case when (new."is_truck") then 'Truck'::text … end`.
   */
  derive(row: RowSource): string
  /** Like `derive`, but with `values[i]` for `types[i]`, and `none` if no type matches. */
  caseByType(row: RowSource, values: readonly string[], none: string): string
  /** Legacy and permanent columns that a `when` reads. */
  readonly conditionColumns: readonly string[]
  /**
   * The legacy columns' values for a row of this type, by column; at least for every legacy column of `conditionColumns`.
   * Null with `restore: none`. Throws for an unknown type.
   */
  restoreValues(type: string): ReadonlyMap<string, RestoreValue> | null
  /** Types with `restore: none`: new code's writes of them are lost when the flag is turned off. */
  readonly typesWithoutRestore: readonly string[]
  /** The application's own UPDATE triggers and rules that the file declares, by their name in the catalog. */
  readonly declaredTriggers: ReadonlyMap<string, 'harmless' | 'skips'>
  /** `file:line:column` of a value of the file, such as `locate(['types', 0, 'when'])`. */
  locate(path: readonly PropertyKey[]): string
  /**
   * Where PostgreSQL looks up the names of this file when it resolves them: pg_catalog, the schema of the table, public.
   * No statement runs with it.
   */
  readonly nameSearchPath: string
  /** The text of each `when`, in the order of `types`: as written, or as resolved. */
  readonly conditions: readonly string[]
  /**
   * What the names of the expressions mean. Null: not resolved, so that the SQL of this rollout knows only what is in
   * pg_catalog.
   */
  readonly resolution: NameResolution | null
  /** The same rollout with the SQL of a resolution. */
  withResolution(resolution: NameResolution): Rollout
}

/**
 * What the names in the expressions of a rollout file mean, as PostgreSQL wrote them down: everything outside pg_catalog
 * has its schema. It is stored as JSON.
 */
export interface NameResolution {
  /** SHA-256 of what was resolved: the expressions, and the types of the columns that they read. */
  readonly source: string
  /** The discriminator's data type. */
  readonly dataType: string
  /** Each `when`, in the order of the types. */
  readonly conditions: readonly string[]
  /** The values of each type by column; null with `restore: none`. */
  readonly restores: readonly (Readonly<Record<string, RestoreEntry>> | null)[]
  /** Everything outside pg_catalog that the expressions use. */
  readonly objects: readonly OutsideObject[]
}

export interface OutsideObject {
  readonly kind: 'function' | 'operator' | 'type' | 'collation' | 'view'
  /** Such as `public.=(public.citext,public.citext)`. */
  readonly identity: string
  readonly owner: string
}

/** The table as in the catalog; read again before each operation. */
export interface Table {
  readonly oid: number
  readonly partitioned: boolean
  readonly partitions: readonly { readonly oid: number; readonly sql: string }[]
  /** The columns that any partition key of the table reads, of every level. */
  readonly partitionKey: readonly string[]
  /** The columns of the primary key, or of the unique index used instead, in order. */
  readonly key: readonly KeyColumn[]
  readonly columns: readonly Column[]
  /** The existing discriminator column; null: does not exist. */
  readonly discriminator: Column | null
  /** The triggers of the table, and those that exist only on its partitions. */
  readonly triggers: readonly Trigger[]
  /** Names of the ON UPDATE rules of the table and its partitions. */
  readonly updateRules: readonly string[]
  readonly secondaryIndexes: readonly string[]
  /** CHECK, foreign keys of this table, and EXCLUDE. */
  readonly constraints: readonly { readonly name: string; readonly definition: string }[]
  /** Sum of reltuples of all leaf partitions; null if one with pages was never analyzed. */
  readonly estimatedRows: number | null
  /** Size of heap and TOAST of all leaf partitions, without indexes. */
  readonly bytes: number
  /** Columns of the table or of a partition, dropped ones included: PostgreSQL limits them to 1,600. */
  readonly attributes: number
  /** The search path of sessions whose writes fire the application's triggers. */
  readonly triggerSearchPath: string
  /** How Citus manages the table; null: it does not. */
  readonly citus: CitusTable | null
}

export interface Column {
  /** attnum: stays the same if the column is renamed. */
  readonly number: number
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
  /** The expression of the default or of the generated column. */
  readonly default: string | null
}

export interface KeyColumn {
  readonly name: string
  readonly sql: string
  readonly type: string
  /** The operators that order this type, as SQL: their schema and the type that they compare. Null: those of pg_catalog. */
  readonly operators: { readonly schema: string; readonly operandType: string } | null
}

export interface Trigger {
  readonly name: string
  /** The table or partition of the trigger, as SQL. */
  readonly on: string
  readonly timing: 'before' | 'after' | 'instead of'
  readonly onInsert: boolean
  readonly onUpdate: boolean
  /** The columns of UPDATE OF; null: any column. */
  readonly updateOf: readonly string[] | null
  readonly onDelete: boolean
  readonly onTruncate: boolean
  readonly forEachRow: boolean
  readonly enabled: 'origin' | 'always' | 'replica' | 'disabled'
  readonly function: string
  /** The function, or one that it names, reads the setting `sti.engine`. Null: its source cannot be read. */
  readonly readsEngineSetting: boolean | null
  /** MD5 of the trigger's definition and the function's source. */
  readonly digest: string
  /** A dual-write trigger of this agent. */
  readonly ours: boolean
  readonly internal: boolean
}
