import { parseConstant } from '../rollout/expression.ts'
import { quoteLiteral, InvalidSqlError } from '../rollout/identifiers.ts'
import type { ParseNode } from '../rollout/sqlParser.ts'
import type { Column, Table } from '../rollout/rollout.ts'

/**
 * Whether a write has left a legacy column alone, as SQL in a trigger. An UPDATE: it holds what it held, byte by byte,
 * so that a type without an equality (json) will do. An INSERT says nothing of what it gave: a column that holds its
 * constant default counts as one that was not given. One whose default is no constant counts as given.
 */
export function columnUnchangedSql(column: Column): string {
  const { sql } = column
  const same = sameImageSql(`new.${sql}`, `old.${sql}`)
  return `(case tg_op when 'UPDATE' then ${same} else ${holdsDefaultSql(column)} end)`
}

/** Equal byte by byte. Without the casts PostgreSQL would look for an operator `*=` of the columns' own types. */
export function sameImageSql(left: string, right: string): string {
  return `row(${left})::record operator(pg_catalog.*=) row(${right})::record`
}

/** The defaults that the conditions above were made with. */
export function columnDefaultsJson(table: Pick<Table, 'columns'>, names: readonly string[]): string {
  return JSON.stringify(names.map((name) => table.columns.find((column) => column.name === name)?.default ?? null))
}

/** An INSERT that left the column out, or gave its default in so many words, as SQL in a trigger. */
export function holdsDefaultSql({ sql, type, default: defaultExpression, identity }: Column): string {
  if (identity !== null) return 'false'
  if (defaultExpression === null) return `new.${sql} is null`
  const constant = parseConstantText(defaultExpression)
  if (constant === undefined) return 'false'
  if (constant === null) return `new.${sql} is null`
  return sameImageSql(`new.${sql}`, `${quoteLiteral(constant)}::${type}`)
}

/**
 * The text of a constant, whatever it is cast to: PostgreSQL writes a type's name as the search path of whoever asks
 * wants it. Undefined: it is none.
 */
function parseConstantText(expression: string): string | null | undefined {
  let tree: ParseNode
  try {
    tree = parseConstant(expression).tree
  } catch (error) {
    if (error instanceof InvalidSqlError) return undefined
    throw error
  }
  while ('TypeCast' in tree) tree = (tree['TypeCast'] as { arg: ParseNode }).arg
  const value = tree['A_Const'] as ConstantNode | undefined
  if (value === undefined) return undefined
  if (value.isnull) return null
  if (value.sval) return value.sval.sval ?? ''
  if (value.fval) return value.fval.fval
  if (value.ival) return String(value.ival.ival ?? 0)
  return value.boolval ? String(value.boolval.boolval ?? false) : undefined
}

interface ConstantNode {
  readonly isnull?: boolean
  readonly sval?: { readonly sval?: string }
  readonly fval?: { readonly fval: string }
  readonly ival?: { readonly ival?: number }
  readonly boolval?: { readonly boolval?: boolean }
}
