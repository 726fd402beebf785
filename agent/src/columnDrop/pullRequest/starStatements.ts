import { formatCount, formatQuantity } from '../../format/format.ts'
import { escapeMarkdown, markdownCode, markdownTable } from '../../format/markdown.ts'
import { shortenStatement, statementSubject } from '../../rollout/statementText.ts'
import { DRIVERS } from '../../statements/preparedStatements.ts'
import { noStatementReads } from '../checks/noStatementUses.ts'
import { MAX_STATEMENT_LENGTH } from '../watch/statementWatch.ts'
import type { PullRequestInput } from './pullRequestInput.ts'

const MAX_LISTED = 30

/** The statements that return `*` of the table, who accepted them, and what each driver does after the migration. */
export function renderStarStatements({ wholeTableStatements, checks, facts }: PullRequestInput): string {
  const statements = wholeTableStatements?.filter(({ onlyThroughStar }) => onlyThroughStar) ?? null
  const table = markdownCode(facts.rollout.table.sql)
  const drivers = `${markdownTable(
    ['driver', 'prepares', 'after the migration and after its undo', 'setting that avoids the error'],
    DRIVERS.map(({ driver, prepares, onError, setting }) => [
      driver,
      escapeMarkdown(prepares),
      escapeMarkdown(onError),
      escapeMarkdown(setting),
    ]),
  )}`
  const consequence =
    'Without the columns, such a statement returns fewer columns and does not fail, except that each connection that has prepared it gets `cached plan must not change result type` (SQLSTATE 0A000) once, and once more after the undo.'
  if (statements === null)
    return `pg_stat_statements cannot be read, so the statements that return \`*\` of ${table} are unknown. ${consequence}\n\n${drivers}`
  if (statements.length === 0) return `No statement in pg_stat_statements returns \`*\` of ${table}.`
  const accepted = checks.find(({ check }) => check === noStatementReads.name)?.accepted ?? []
  const rows = statements.slice(0, MAX_LISTED).map(({ statement, role, calls, writes }) => {
    const acceptance = accepted.find(
      ({ subject }) => subject === statementSubject(statement.slice(0, MAX_STATEMENT_LENGTH)),
    )
    return [
      markdownCode(shortenStatement(statement)),
      escapeMarkdown(role),
      formatCount(calls),
      writes ? 'yes' : 'no',
      acceptance === undefined ? '' : escapeMarkdown(`${acceptance.by}: ${acceptance.reason}`),
    ]
  })
  const more = statements.length - rows.length
  return `${consequence}

${markdownTable(['statement', 'role', 'calls', 'writes rows', 'accepted'], rows)}${more > 0 ? `\n\n${formatQuantity(more, 'more statement')}.` : ''}

${drivers}`
}
