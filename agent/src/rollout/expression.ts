import { messageOf, parseStatements, stringValues, tokensByStart, walkParseTree, type ParseNode } from './sqlParser.ts'
import { InvalidSqlError, quoteIdentifier } from './identifiers.ts'

/** One SQL expression over a row's own columns. */
export interface Expression {
  readonly text: string
  readonly tree: ParseNode
  /** The distinct columns it reads, by their names in the catalog. */
  readonly columns: readonly string[]
}

/** PostgreSQL's parser may run out of stack on longer texts. */
const MAX_EXPRESSION_LENGTH = 4_000

// `f(expression)` parses as one call with one argument only if the text is one expression: a list, an alias, ORDER BY,
// DISTINCT, OVER, a clause or an unbalanced parenthesis all change the parse tree.
const PARSE_PREFIX = 'SELECT f('

/** @throws InvalidSqlError with what to write instead */
export function parseExpression(text: string): Expression {
  if (text.length > MAX_EXPRESSION_LENGTH)
    throw new InvalidSqlError(`is longer than ${MAX_EXPRESSION_LENGTH} characters. Shorten it.`)
  return parseResolvedExpression(text)
}

/** An expression as PostgreSQL wrote it down, which is longer than its source. @throws InvalidSqlError */
export function parseResolvedExpression(text: string): Expression {
  const tree = singleArgument(text)
  const columns = new Set<string>()
  const faults = new Set<string>()
  walkParseTree(tree, (kind, fields) => {
    if (kind === 'ColumnRef') {
      const names = stringValues(fields['fields'])
      if (names?.length === 1) columns.add(names[0]!)
      else faults.add('columns must have no table name and no *.')
    }
    const reason = refusalReason(kind, fields)
    if (reason) faults.add(reason)
  })
  if (/U&["']/i.test(text) && [...tokensByStart(text).values()].some((token) => /^U&/i.test(token.text))) {
    faults.add(`U&"…" and U&'…' are not supported. Write the characters themselves.`)
  }
  if (faults.size > 0) throw new InvalidSqlError([...faults].join(' '))
  return { text, tree, columns: [...columns] }
}

function singleArgument(text: string): ParseNode {
  let statements
  try {
    statements = parseStatements(`${PARSE_PREFIX}${text}\n)`)
  } catch (error) {
    throw new InvalidSqlError(`is not an SQL expression: ${messageOf(error)}`)
  }
  const select = statements[0]?.['SelectStmt'] as ParseNode | undefined
  const targets = (select?.['targetList'] ?? []) as { ResTarget?: { name?: string; val?: { FuncCall?: ParseNode } } }[]
  const call = targets[0]?.ResTarget?.val?.FuncCall
  const args = (call?.['args'] ?? []) as ParseNode[]
  const onlyKeys = (tree: ParseNode, allowed: string[]): boolean =>
    Object.keys(tree).every((key) => allowed.includes(key))
  const isSingleExpression =
    statements.length === 1 &&
    targets.length === 1 &&
    select !== undefined &&
    call !== undefined &&
    args.length === 1 &&
    !args[0]!['NamedArgExpr'] &&
    targets[0]!.ResTarget!.name === undefined &&
    onlyKeys(select, ['targetList', 'limitOption', 'op']) &&
    onlyKeys(call, ['funcname', 'args', 'funcformat', 'location'])
  if (!isSingleExpression) throw new InvalidSqlError('must be one SQL expression and nothing else.')
  return args[0]!
}

const AGGREGATES =
  /^(count|sum|avg|min|max|every|bool_(and|or)|bit_(and|or|xor)|(array|string|xml|jsonb?(_object)?|range)_agg)$/

function refusalReason(kind: string, fields: ParseNode): string | null {
  switch (kind) {
    case 'SubLink':
      return 'subqueries are not allowed. Use only columns of the row.'
    case 'ParamRef':
      return 'parameters such as $1 are not allowed. Write the value.'
    case 'SQLValueFunction':
      return 'current_timestamp, current_user and similar functions change from call to call. Use columns and constants.'
    case 'GroupingFunc':
    case 'MultiAssignRef':
    case 'SetToDefault':
    case 'CurrentOfExpr':
      return 'is not an expression over columns. Use columns, constants, operators and immutable functions.'
    case 'FuncCall': {
      const name = stringValues(fields['funcname'])?.at(-1) ?? ''
      if (fields['over']) return 'window functions are not allowed. Use only columns of the row.'
      const aggregate = ['agg_star', 'agg_distinct', 'agg_order', 'agg_filter', 'agg_within_group'].some(
        (key) => fields[key],
      )
      if (aggregate || AGGREGATES.test(name))
        return `aggregates (${name}) are not allowed. Use only columns of the row.`
      return null
    }
    default:
      return null
  }
}

/** The SQL that stands for a column of the row: an alias of the row, or any expression for each column. */
export type RowSource = string | ((column: string) => string)

/** One column of a row as SQL. */
export function columnOf(row: RowSource, column: string): string {
  return typeof row === 'string' ? `${row}.${quoteIdentifier(column)}` : row(column)
}

/**
 * The expression in parentheses, with every column as `alias."column"` or as `row` says. Columns are located by the parse
 * tree, so that strings and comments are not changed.
 */
export function qualifyColumns(expression: Expression, row: RowSource): string {
  const source = `${PARSE_PREFIX}${expression.text}\n)`
  const bytes = Buffer.from(source)
  const tokens = tokensByStart(source)
  const references: { start: number; end: number; name: string }[] = []
  walkParseTree(expression.tree, (kind, fields) => {
    if (kind !== 'ColumnRef') return
    const start = fields['location'] as number
    const token = tokens.get(start)
    if (!token) throw new Error(`no token at byte ${start} of ${source}`)
    references.push({ start, end: token.end, name: stringValues(fields['fields'])![0]! })
  })
  references.sort((a, b) => a.start - b.start)
  let from = Buffer.byteLength(PARSE_PREFIX)
  let text = ''
  for (const { start, end, name } of references) {
    text += `${bytes.subarray(from, start).toString()}${columnOf(row, name)}`
    from = end
  }
  text += bytes.subarray(from, bytes.length - 2).toString()
  // The line break ends a trailing comment before the parenthesis.
  return text.includes('--') ? `(${text}\n)` : `(${text})`
}

/** Parses a constant: a literal, a cast of a literal, or an array of them. */
export function parseConstant(text: string): Expression {
  const expression = parseExpression(text)
  if (!isConstant(expression.tree)) {
    const column = expression.columns[0]
    throw new InvalidSqlError(
      column === undefined
        ? `"${text}" is not a constant. Write a literal such as true, 3, null or "'text'".`
        : `"${text}" is a column name, but must be a constant. Write a text as "'${column}'".`,
    )
  }
  return expression
}

function isConstant(tree: unknown): boolean {
  const node = tree as { A_Const?: ParseNode; TypeCast?: { arg?: ParseNode }; A_ArrayExpr?: { elements?: ParseNode[] } }
  if (node.A_Const) return true
  if (node.TypeCast) return isConstant(node.TypeCast.arg)
  return node.A_ArrayExpr ? (node.A_ArrayExpr.elements ?? []).every(isConstant) : false
}
