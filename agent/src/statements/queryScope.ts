import { stringValues, type ParseNode } from '../rollout/sqlParser.ts'
import { findTargetRelation, type ColumnLookup, type NamedRelation, type ColumnUseTarget } from './columnUseTarget.ts'

/** One entry of a FROM clause, with the names of its columns. */
export interface RangeTableEntry {
  readonly name: string | null
  readonly schema: string | null
  /** The visible columns; null if they are unknown. */
  readonly columns: ReadonlySet<string> | null
  /** For the target table, each legacy column by its visible name. Null for another relation. */
  readonly legacy: ReadonlyMap<string, string> | null
  /** True if its columns are all columns of the target table, also those that are added later. */
  readonly allColumns: boolean
  /** True if an alias renames its columns, by their order. */
  readonly renamed: boolean
  /** True for a variable that holds a row: its columns are always qualified. */
  readonly variable?: boolean
}

/** The result of a query. */
export interface QueryOutputs {
  /** The names of its columns; null if they are unknown. */
  readonly columns: ReadonlySet<string> | null
  readonly allColumns: boolean
}

export const UNKNOWN_OUTPUTS: QueryOutputs = { columns: null, allColumns: false }

/** The names that are in scope at one level of a statement. */
export interface QueryScope {
  readonly entries: RangeTableEntry[]
  /** Queries of WITH with their results. */
  readonly ctes: Map<string, QueryOutputs>
  readonly outer: QueryScope | null
}

export function nestedScope(outer: QueryScope | null): QueryScope {
  return { entries: [], ctes: new Map(), outer }
}

/** The query that a WITH name refers to; undefined if there is none. */
export function findCte(scope: QueryScope, name: string): QueryOutputs | undefined {
  for (let current: QueryScope | null = scope; current !== null; current = current.outer)
    if (current.ctes.has(name)) return current.ctes.get(name)!
  return undefined
}

interface RangeVar {
  readonly schemaname?: string
  readonly relname: string
  readonly alias?: AliasClause
}
export interface AliasClause {
  readonly aliasname: string
  readonly colnames?: unknown
}

/** A table of a FROM clause, or the target of a write. */
export function resolveRangeVar(
  fields: ParseNode,
  scope: QueryScope,
  target: ColumnUseTarget,
  columnsOf: ColumnLookup,
): RangeTableEntry {
  const { schemaname, relname, alias } = fields as unknown as RangeVar
  const name = alias?.aliasname ?? relname
  const schema = alias === undefined ? (schemaname ?? null) : null
  const cteOutputs = schemaname === undefined ? findCte(scope, relname) : undefined
  if (cteOutputs !== undefined) return derivedEntry(cteOutputs, name, alias)
  const targetRelation = findTargetRelation(target, schemaname ?? null, relname)
  if (targetRelation !== null) return targetEntry(targetRelation, target, name, schema, alias)
  const columns = applyColumnAliases(columnsOf(schemaname ?? null, relname), alias)
  return { name, schema, columns, legacy: null, allColumns: false, renamed: false }
}

/** The entry of a query in FROM, or of a reference to a query of WITH. */
export function derivedEntry(
  { columns, allColumns }: QueryOutputs,
  name: string | null,
  alias: AliasClause | undefined,
): RangeTableEntry {
  const renamed = stringValues(alias?.colnames) !== null
  return { name, schema: null, columns: applyColumnAliases(columns, alias), legacy: null, allColumns, renamed }
}

export function targetEntry(
  { columns, ...relation }: NamedRelation,
  target: ColumnUseTarget,
  name: string,
  schema: string | null = relation.schema,
  alias?: AliasClause,
): RangeTableEntry {
  const visibleNames = columns.map((column, index) => stringValues(alias?.colnames)?.[index] ?? column)
  const legacy = columns.flatMap((column, index) =>
    target.legacy.includes(column) ? [[visibleNames[index]!, column] as const] : [],
  )
  const renamed = stringValues(alias?.colnames) !== null
  return { name, schema, columns: new Set(visibleNames), legacy: new Map(legacy), allColumns: true, renamed }
}

/** The columns, with the first ones renamed by an alias. */
export function applyColumnAliases(
  columns: ReadonlySet<string> | null,
  alias: AliasClause | undefined,
): ReadonlySet<string> | null {
  const names = stringValues(alias?.colnames)
  if (names === null) return columns
  return columns === null ? null : new Set([...names, ...[...columns].slice(names.length)])
}
