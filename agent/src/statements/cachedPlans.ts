import type { Sql } from '../database/connect.ts'
import { formatQuantity } from '../format/format.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { parseStatements, walkParseTree, type ParseNode } from '../rollout/sqlParser.ts'
import { shortenStatement } from '../rollout/statementText.ts'
import { findColumnUses } from './columnUses.ts'
import type { ColumnLookup, ColumnUseTarget } from './columnUseTarget.ts'
import { driverNotes } from './preparedStatements.ts'
import { readColumnUseTarget } from './readColumnUseTarget.ts'
import { readTableStatements } from './tableStatements.ts'

/**
 * A statement whose result has every column of the table. If a connection has prepared it, PostgreSQL refuses to run it
 * after a column was added or dropped: "cached plan must not change result type".
 */
export interface WholeTableStatement {
  readonly statement: string
  readonly role: string
  readonly calls: number
  /** It inserts, updates or deletes rows, and returns them with `*`. */
  readonly writes: boolean
  /** See ColumnUses. */
  readonly onlyThroughStar: boolean
}

const MAX_SHOWN = 10

/** The application's statements with such a result; null if pg_stat_statements cannot be read. */
export async function readWholeTableStatements(
  sql: Sql,
  rollout: Rollout,
  table: Pick<Table, 'oid'>,
): Promise<WholeTableStatement[] | null> {
  const { target, columnsOf } = await readColumnUseTarget(sql, rollout, table)
  const names = target.relations.map(({ name }) => name)
  const statements = await readTableStatements(sql, names, '\\*')
  if (statements === null) return null
  return statements.flatMap(({ text, role, calls }) => {
    const found = analyzeWholeTableStatement(text, target, columnsOf)
    return found === null ? [] : [{ statement: text, role, calls, ...found }]
  })
}

/** A statement that cannot be parsed, such as one whose text is cut off, counts as one without such a result. */
function analyzeWholeTableStatement(
  text: string,
  target: ColumnUseTarget,
  columnsOf: ColumnLookup,
): Pick<WholeTableStatement, 'writes' | 'onlyThroughStar'> | null {
  let statements: ParseNode[]
  try {
    statements = parseStatements(text)
  } catch {
    return null
  }
  const { returnsAllColumns, onlyThroughStar } = findColumnUses(statements, target, columnsOf)
  if (!returnsAllColumns) return null
  let writes = false
  walkParseTree(statements, (kind) => {
    if (/^(Insert|Update|Delete|Merge)Stmt$/.test(kind)) writes = true
  })
  return { writes, onlyThroughStar }
}

/** What to expect of prepared statements when `change`, such as "the column is added", happens. */
export async function cachedPlanNotes(
  sql: Sql,
  rollout: Rollout,
  table: Pick<Table, 'oid'>,
  change: string,
): Promise<string[]> {
  return describeWholeTableStatements(await readWholeTableStatements(sql, rollout, table), rollout, change)
}

function describeWholeTableStatements(
  statements: readonly WholeTableStatement[] | null,
  { table }: Rollout,
  change: string,
): string[] {
  const error = `the error "cached plan must not change result type" (SQLSTATE 0A000) once`
  if (statements === null)
    return [
      `When ${change}, a connection that has prepared a statement that returns * of ${table.sql} gets ${error}. pg_stat_statements cannot be read, so these statements are unknown.`,
      ...driverNotes(),
    ]
  if (statements.length === 0)
    return [
      `No statement in pg_stat_statements returns * of ${table.sql}, so no prepared statement fails when ${change}.`,
    ]
  const writes = statements.filter((statement) => statement.writes)
  return [
    `When ${change}, each connection that has prepared one of the ${formatQuantity(statements.length, 'known statement')} that return * of ${table.sql} gets ${error} for each of them. Run it when connections are about to be replaced, such as right before a deployment, or at low traffic.`,
    writes.length === 0
      ? 'No INSERT, UPDATE, or DELETE is among them.'
      : `${formatQuantity(writes.length, 'of them writes rows', 'of them write rows')} (RETURNING *): the failed execution wrote nothing, and its whole transaction is lost.`,
    ...[...writes, ...statements.filter((statement) => !statement.writes)]
      .slice(0, MAX_SHOWN)
      .map(
        ({ statement, role, calls }) =>
          `Returns *: ${shortenStatement(statement)} (${formatQuantity(calls, 'call')} by ${role})`,
      ),
    ...(statements.length > MAX_SHOWN
      ? [`${formatQuantity(statements.length - MAX_SHOWN, 'more statement returns', 'more statements return')} *.`]
      : []),
    ...driverNotes(),
  ]
}
