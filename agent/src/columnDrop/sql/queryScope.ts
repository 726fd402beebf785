import { stringValues, type ParseNode } from '../../rollout/sqlParser.ts'
import { findTargetRelation, type ColumnLookup, type NamedRelation, type ColumnUseTarget } from './columnUseTarget.ts'

/** One entry of a FROM clause: what its columns are called there. */
export interface RangeTableEntry {
  readonly name: string | null
  readonly schema: string | null
  /** Its visible columns; null: they are not known. */
  readonly columns: ReadonlySet<string> | null
  /** Of our table: each legacy column by the name it is visible under. Null: another relation. */
  readonly legacy: ReadonlyMap<string, string> | null
  /** A variable that holds a row: its columns are never meant without its name. */
  readonly variable?: boolean
}

/** What names mean at one level of a statement. */
export interface QueryScope {
  readonly entries: RangeTableEntry[]
  /** Queries of WITH: their columns, null where they are not known. */
  readonly ctes: Map<string, ReadonlySet<string> | null>
  readonly outer: QueryScope | null
}

export function nestedScope(outer: QueryScope | null): QueryScope {
  return { entries: [], ctes: new Map(), outer }
}

/** What a name of WITH stands for; undefined: it is none. */
export function findCte(scope: QueryScope, name: string): ReadonlySet<string> | null | undefined {
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

/** A table of a FROM clause, or the one that is written. */
export function resolveRangeVar(
  fields: ParseNode,
  scope: QueryScope,
  target: ColumnUseTarget,
  columnsOf: ColumnLookup,
): RangeTableEntry {
  const { schemaname, relname, alias } = fields as unknown as RangeVar
  const name = alias?.aliasname ?? relname
  const schema = alias === undefined ? (schemaname ?? null) : null
  const cteColumns = schemaname === undefined ? findCte(scope, relname) : undefined
  if (cteColumns !== undefined)
    return { name, schema: null, columns: applyColumnAliases(cteColumns, alias), legacy: null }
  const targetRelation = findTargetRelation(target, schemaname ?? null, relname)
  if (targetRelation !== null) return targetEntry(targetRelation, target, name, schema, alias)
  return { name, schema, columns: applyColumnAliases(columnsOf(schemaname ?? null, relname), alias), legacy: null }
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
  return { name, schema, columns: new Set(visibleNames), legacy: new Map(legacy) }
}

/** Columns under the names that an alias gives the first of them. */
export function applyColumnAliases(
  columns: ReadonlySet<string> | null,
  alias: AliasClause | undefined,
): ReadonlySet<string> | null {
  const names = stringValues(alias?.colnames)
  if (names === null) return columns
  return columns === null ? null : new Set([...names, ...[...columns].slice(names.length)])
}
