import { messageOf, parseStatements, stringValues, walkParseTree, type ParseNode } from './sqlParser.ts'
import { InvalidSqlError } from './identifiers.ts'

const MAX_QUERY_LENGTH = 10_000

/**
 * Checks that a text is exactly one SELECT that writes and locks nothing.
 *
 * @throws InvalidSqlError
 */
export function parseQuery(text: string): string {
  if (text.length > MAX_QUERY_LENGTH)
    throw new InvalidSqlError(`is longer than ${MAX_QUERY_LENGTH} characters. Use a view.`)
  let statements: ParseNode[]
  try {
    statements = parseStatements(text)
  } catch (error) {
    throw new InvalidSqlError(`is not SQL: ${messageOf(error)}`)
  }
  if (statements.length !== 1 || !statements[0]!['SelectStmt']) throw new InvalidSqlError('must be exactly one SELECT.')
  const faults = new Set<string>()
  walkParseTree(statements[0], (kind, fields) => {
    if (/^(Insert|Update|Delete|Merge)Stmt$/.test(kind))
      faults.add('must not write. Remove the INSERT, UPDATE, DELETE or MERGE.')
    if (fields['lockingClause']) faults.add('must not lock rows. Remove FOR UPDATE or FOR SHARE.')
    if (fields['intoClause']) faults.add('must not create a table. Remove INTO.')
    if (kind === 'FuncCall' && stringValues(fields['funcname'])?.at(-1) === 'set_config')
      faults.add('must not change settings. Remove set_config.')
    if (kind === 'ParamRef') faults.add('must not have parameters such as $1. Write the value.')
  })
  if (faults.size > 0) throw new InvalidSqlError([...faults].join(' '))
  return text
}
