import { parseConstant } from './expression.ts'
import { InvalidSqlError } from './identifiers.ts'
import type { ParseNode } from './sqlParser.ts'

/**
 * The text of a constant without its casts, since PostgreSQL prints type names according to the search_path. Undefined if
 * the expression is not a constant.
 */
export function constantText(expression: string): string | null | undefined {
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
