import { parseExpression } from './expression.ts'
import type { Column, Rollout, Table } from './rollout.ts'
import { stringValues, type ParseNode } from './sqlParser.ts'

/** Types whose comparisons never raise an error. Not floating point, since a cast from numeric can overflow. */
const SAFE_TYPES = new Set('bool int2 int4 int8 text varchar bpchar uuid date timestamp timestamptz numeric'.split(' '))

const COMPARISON_OPERATORS = new Set(['=', '<>', '!=', '<', '>', '<=', '>='])

const COMPARISON_KINDS = new Set([
  ...['AEXPR_DISTINCT', 'AEXPR_NOT_DISTINCT', 'AEXPR_IN'],
  ...['AEXPR_BETWEEN', 'AEXPR_NOT_BETWEEN', 'AEXPR_BETWEEN_SYM', 'AEXPR_NOT_BETWEEN_SYM'],
])

/**
 * True if the derived expression cannot raise an error for any row. It can then be used in a trigger's WHEN clause, where
 * an error cannot be caught, and the column can be NOT NULL. False does not mean that it raises.
 */
export function cannotRaise(rollout: Rollout, table: Pick<Table, 'columns'>): boolean {
  // An operator or function outside pg_catalog may have the name of a safe one.
  if (rollout.resolution?.objects.some(({ kind }) => kind === 'operator' || kind === 'function')) return false
  return rollout.file.types.every((type) => isSafe(parseExpression(type.when).tree, table.columns))
}

/** Accepts only columns, constants, comparisons, IS NULL, IS TRUE, IN, BETWEEN, IS DISTINCT, AND, OR, NOT and CASE. */
function isSafe(tree: unknown, columns: readonly Column[]): boolean {
  const safe = (child: unknown): boolean => child === undefined || isSafe(child, columns)
  const all = (list: unknown): boolean => Array.isArray(list) && list.every(safe)
  const [kind, fields] = Object.entries(tree as ParseNode)[0] as [string, ParseNode]
  switch (kind) {
    case 'A_Const':
      return true
    case 'TypeCast':
      return 'A_Const' in (fields['arg'] as ParseNode) && isSafeType(fields['typeName'] as ParseNode)
    case 'ColumnRef': {
      const column = columns.find((column) => column.name === stringValues(fields['fields'])?.[0])
      return column !== undefined && (SAFE_TYPES.has(column.baseType) || column.enumLabels !== null)
    }
    case 'A_Expr': {
      const operator = stringValues(fields['name'])
      const isStandard = operator?.length === 1 || (operator?.length === 2 && operator[0] === 'pg_catalog')
      const compares =
        COMPARISON_KINDS.has(fields['kind'] as string) ||
        (fields['kind'] === 'AEXPR_OP' && isStandard && COMPARISON_OPERATORS.has(operator.at(-1)!))
      return compares && fields['lexpr'] !== undefined && safe(fields['lexpr']) && safe(fields['rexpr'])
    }
    case 'List':
      return all(fields['items'])
    case 'BoolExpr':
    case 'CoalesceExpr':
      return all(fields['args'])
    case 'NullTest':
    case 'BooleanTest':
      return safe(fields['arg'])
    case 'CaseExpr':
      return safe(fields['arg']) && all(fields['args']) && safe(fields['defresult'])
    case 'CaseWhen':
      return safe(fields['expr']) && safe(fields['result'])
    default:
      return false
  }
}

function isSafeType(type: ParseNode): boolean {
  const names = stringValues(type['names']) ?? []
  const known = names.length === 1 || (names.length === 2 && names[0] === 'pg_catalog')
  return known && !type['arrayBounds'] && !type['setof'] && SAFE_TYPES.has(names.at(-1)!)
}
