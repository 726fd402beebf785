import { parseResolvedExpression } from './expression.ts'
import type { Column, Rollout, Table } from './rollout.ts'
import { stringValues, walkParseTree, type ParseNode } from './sqlParser.ts'

/** Types whose text no setting of a session changes. Not floating point, bytea, interval, or geometric types. */
const FIXED_TEXT_TYPES = new Set(
  'bool int2 int4 int8 oid numeric text varchar bpchar name char uuid json jsonb inet cidr macaddr macaddr8 bit varbit'.split(
    ' ',
  ),
)

/**
 * True if the result of an expression of the rollout may depend on settings of the session, such as extra_float_digits:
 * PostgreSQL calls the conversion of a float to text immutable, and believes any function that says so. False: it does not.
 */
export function dependsOnSession(rollout: Rollout, { columns }: Pick<Table, 'columns'>): boolean {
  const restores = rollout.types.flatMap((type) => [...(rollout.restoreValues(type)?.values() ?? [])])
  const texts = [...rollout.conditions, ...restores.filter(({ kind }) => kind === 'expression').map(({ text }) => text)]
  return texts.some((text) => mayDepend(parseResolvedExpression(text).tree, columns))
}

function mayDepend(tree: ParseNode, columns: readonly Column[]): boolean {
  let depends = false
  walkParseTree(tree, (kind, fields) => {
    if (kind === 'TypeCast') depends ||= !hasFixedText(fields['arg'] as ParseNode, columns)
    if (kind === 'FuncCall') depends ||= isOutsideCatalog(fields['funcname'])
    if (kind === 'A_Expr') depends ||= isOutsideCatalog(fields['name'])
  })
  return depends
}

/** A cast of any other value may be one to text. */
function hasFixedText(value: ParseNode, columns: readonly Column[]): boolean {
  if ('A_Const' in value || 'A_ArrayExpr' in value) return true
  if ('ColumnRef' in value) {
    const name = stringValues((value['ColumnRef'] as ParseNode)['fields'])?.[0]
    const column = columns.find((candidate) => candidate.name === name)
    return column !== undefined && (FIXED_TEXT_TYPES.has(column.baseType) || column.enumLabels !== null)
  }
  // A cast of a cast: the inner one decides what the outer one reads.
  return 'TypeCast' in value && isFixedTextCast(value['TypeCast'] as ParseNode)
}

const isFixedTextCast = (cast: ParseNode): boolean => {
  const names = stringValues((cast['typeName'] as ParseNode)['names']) ?? []
  return FIXED_TEXT_TYPES.has(names.at(-1)!)
}

function isOutsideCatalog(name: unknown): boolean {
  const names = stringValues(name) ?? []
  return names.length > 1 && names[0] !== 'pg_catalog'
}
