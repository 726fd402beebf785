import type { Sql } from '../database/connect.ts'
import { OWN_STATEMENT_SQL } from '../database/tagStatement.ts'
import { formatQuantity } from '../format/format.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { parseStatements, walkParseTree, type ParseNode } from '../rollout/sqlParser.ts'
import { shortenStatement } from '../rollout/statementText.ts'
import { findColumnUses } from './columnUses.ts'
import type { ColumnLookup, ColumnUseTarget } from './columnUseTarget.ts'
import { driverNotes } from './preparedStatements.ts'
import { findReadableStatements } from './readableStatements.ts'
import { readColumnUseTarget } from './readColumnUseTarget.ts'

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

/** How many statements are parsed, those with the most calls first. */
const MAX_PARSED_STATEMENTS = 1_000
const MAX_SHOWN = 10

/** The application's statements with such a result; null if pg_stat_statements cannot be read. */
export async function readWholeTableStatements(
  sql: Sql,
  rollout: Rollout,
  table: Pick<Table, 'oid'>,
): Promise<WholeTableStatement[] | null> {
  const schema = await findReadableStatements(sql)
  if (schema === null) return null
  const { target, columnsOf } = await readColumnUseTarget(sql, rollout, table)
  const names = target.relations.map(({ name }) => name.toLowerCase())
  const rows = await sql<{ text: string; role: string; calls: number }[]>`
    select /* sti */ query as text, pg_get_userbyid(userid)::text as role, sum(calls)::float8 as calls
    from ${sql(schema)}.pg_stat_statements
    where dbid = (select oid from pg_database where datname = current_database()) and not ${sql.unsafe(OWN_STATEMENT_SQL)}
      and query like '%*%' and exists (select from jsonb_array_elements_text(${sql.json(names)}::jsonb) relation (name)
        where strpos(lower(query), relation.name) > 0)
    -- The same text has another entry after each change of the table.
    group by userid, query order by 3 desc limit ${MAX_PARSED_STATEMENTS}`
  return rows.flatMap(({ text, role, calls }) => {
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
