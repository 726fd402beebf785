import { parseConstant } from '../rollout/expression.ts'
import { quoteLiteral, InvalidSqlError } from '../rollout/identifiers.ts'
import type { ParseNode } from '../rollout/sqlParser.ts'
import type { Column, Table } from '../rollout/rollout.ts'

/**
 * SQL for the trigger: true if a write has not changed a legacy column. For an UPDATE, values are compared byte by byte,
 * which works for types without equality (json). An INSERT does not tell which columns it sets: a column with its constant
 * default counts as not set, and a column whose default is not a constant counts as set.
 */
export function columnUnchangedSql(column: Column): string {
  const { sql } = column
  const same = sameImageSql(`new.${sql}`, `old.${sql}`)
  return `(case tg_op when 'UPDATE' then ${same} else ${holdsDefaultSql(column)} end)`
}

/** Equal byte by byte. Without the casts, PostgreSQL would look for an operator `*=` of the column types. */
export function sameImageSql(left: string, right: string): string {
  return `row(${left})::record operator(pg_catalog.*=) row(${right})::record`
}

/** The column defaults that the conditions depend on. */
export function columnDefaultsJson(table: Pick<Table, 'columns'>, names: readonly string[]): string {
  return JSON.stringify(names.map((name) => table.columns.find((column) => column.name === name)?.default ?? null))
}

/** SQL for the trigger: true if an INSERT omitted the column or set it to its default. */
export function holdsDefaultSql({ sql, type, default: defaultExpression, identity }: Column): string {
  if (identity !== null) return 'false'
  if (defaultExpression === null) return `new.${sql} is null`
  const constant = parseConstantText(defaultExpression)
  if (constant === undefined) return 'false'
  if (constant === null) return `new.${sql} is null`
  return sameImageSql(`new.${sql}`, `${quoteLiteral(constant)}::${type}`)
}

/**
 * The text of a constant without its casts, since PostgreSQL prints type names according to the search_path. Undefined if
 * the expression is not a constant.
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
