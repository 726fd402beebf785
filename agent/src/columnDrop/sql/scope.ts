import { strings, type Tree } from '../../rollout/parse.ts'
import { relationNamed, type ColumnsOf, type NamedRelation, type Target } from './target.ts'

/** One entry of a FROM clause: what its columns are called there. */
export interface Entry {
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
export interface Scope {
  readonly entries: Entry[]
  /** Queries of WITH: their columns, null where they are not known. */
  readonly queries: Map<string, ReadonlySet<string> | null>
  readonly outer: Scope | null
}

export function below(outer: Scope | null): Scope {
  return { entries: [], queries: new Map(), outer }
}

/** What a name of WITH stands for; undefined: it is none. */
export function queryNamed(scope: Scope, name: string): ReadonlySet<string> | null | undefined {
  for (let at: Scope | null = scope; at !== null; at = at.outer) if (at.queries.has(name)) return at.queries.get(name)!
  return undefined
}

interface RangeVar {
  readonly schemaname?: string
  readonly relname: string
  readonly alias?: Alias
}
export interface Alias {
  readonly aliasname: string
  readonly colnames?: unknown
}

/** A table of a FROM clause, or the one that is written. */
export function entryOf(fields: Tree, scope: Scope, target: Target, columnsOf: ColumnsOf): Entry {
  const { schemaname, relname, alias } = fields as unknown as RangeVar
  const name = alias?.aliasname ?? relname
  const schema = alias === undefined ? (schemaname ?? null) : null
  const query = schemaname === undefined ? queryNamed(scope, relname) : undefined
  if (query !== undefined) return { name, schema: null, columns: renamed(query, alias), legacy: null }
  const ours = relationNamed(target, schemaname ?? null, relname)
  if (ours !== null) return oursAs(ours, target, name, schema, alias)
  return { name, schema, columns: renamed(columnsOf(schemaname ?? null, relname), alias), legacy: null }
}

export function oursAs(
  { columns, ...relation }: NamedRelation,
  target: Target,
  name: string,
  schema: string | null = relation.schema,
  alias?: Alias,
): Entry {
  const visible = columns.map((column, index) => strings(alias?.colnames)?.[index] ?? column)
  const legacy = columns.flatMap((column, index) =>
    target.legacy.includes(column) ? [[visible[index]!, column] as const] : [],
  )
  return { name, schema, columns: new Set(visible), legacy: new Map(legacy) }
}

/** Columns under the names that an alias gives the first of them. */
export function renamed(columns: ReadonlySet<string> | null, alias: Alias | undefined): ReadonlySet<string> | null {
  const names = strings(alias?.colnames)
  if (names === null) return columns
  return columns === null ? null : new Set([...names, ...[...columns].slice(names.length)])
}
