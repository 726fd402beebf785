import { findStatementStatisticsFault } from '../../database/statementStatistics.ts'
import { formatQuantity } from '../../format/format.ts'
import { shortenStatement, statementSubject } from '../../rollout/statementText.ts'
import { readStatements, type StatementWatch } from '../watch/statementWatch.ts'
import { soakStartedAt, soakShortfall, type DropCheck, type DropCheckContext, type DropFinding } from './dropCheck.ts'

export const noStatementReads: DropCheck = {
  name: 'no-statement-reads',
  question: 'Has the application stopped reading the columns?',
  run: (context) => checkStatementUses(context, 'reads'),
}

export const noStatementWrites: DropCheck = {
  name: 'no-statement-writes',
  question: 'Has the application stopped writing the columns?',
  run: (context) => checkStatementUses(context, 'writes'),
}

async function checkStatementUses(context: DropCheckContext, access: 'reads' | 'writes'): Promise<DropFinding> {
  const { state } = context.database
  const fault = await findStatementStatisticsFault(state)
  if (fault !== null)
    return {
      verdict: 'inconclusive',
      evidence: `${fault.problem}: ${fault.remedy}, then wait for the soak time`,
      acceptable: ['statements without pg_stat_statements'],
    }
  const statementWatch = await readStatements(state, context.rollout.name)
  const soakStart = soakStartedAt(context)
  const recentUses = statementWatch.uses.filter(({ calledAt }) => calledAt !== null && calledAt > soakStart)
  const matchingUses = recentUses.filter((use) => use[access].length > 0 && !use.onlyThroughStar)
  if (matchingUses.length > 0) {
    const statements = matchingUses.map(
      (use) => `${shortenStatement(use.statement)} ${access} ${use[access].join(', ')}, last called at ${use.calledAt}`,
    )
    return {
      verdict: 'fail',
      evidence: `${formatQuantity(matchingUses.length, 'statement')} still ${matchingUses.length === 1 ? access : access.slice(0, -1)} the columns: ${statements.join('; ')}; change the application, deploy, and wait for the soak time`,
      findings: matchingUses.map((use) => formatUse(use, access)),
    }
  }
  const shortfall = soakShortfall(context, statementWatch.since, statementWatch.restarted)
  if (shortfall !== null) return shortfall
  const starUses = access === 'reads' ? recentUses.filter((use) => use.onlyThroughStar) : []
  const unsureUses = recentUses.filter((use) => use.unsure !== null)
  if (starUses.length > 0) return starFinding(starUses, unsureUses)
  if (unsureUses.length > 0)
    return {
      verdict: 'inconclusive',
      evidence: unsureEvidence(unsureUses),
      findings: unsureUses.map((use) => `${use.statement}: ${use.unsure}`),
      acceptable: [...new Set(unsureUses.map(({ statement }) => statementSubject(statement)))],
    }
  const earlierCount = statementWatch.uses.filter((use) => use[access].length > 0).length
  return {
    verdict: 'pass',
    evidence: `no statement in pg_stat_statements has ${access === 'reads' ? 'read' : 'written'} the columns since ${soakStart}; watched since ${statementWatch.since}${earlierCount > 0 ? ` (${formatQuantity(earlierCount, 'statement')} did before)` : ''}`,
  }
}

/** Statements that keep working without the columns; the code that gets their result may still use the columns. */
function starFinding(starUses: readonly StatementUse[], unsureUses: readonly StatementUse[]): DropFinding {
  const first = starUses[0]!
  return {
    verdict: 'inconclusive',
    evidence: `${formatQuantity(starUses.length, 'statement returns', 'statements return')} the columns only because of *, and name none of them, last called at ${first.calledAt}: ${shortenStatement(first.statement)}; such a statement does not fail without the columns, except once for each connection that has prepared it: make sure that the application does not use the columns of its result, then accept each statement, or list its columns and wait for the soak time${unsureUses.length === 0 ? '' : `; ${unsureEvidence(unsureUses)}`}`,
    findings: [
      ...starUses.map((use) => formatUse(use, 'reads')),
      ...unsureUses.map((use) => `${use.statement}: ${use.unsure}`),
    ],
    acceptable: [...new Set([...starUses, ...unsureUses].map(({ statement }) => statementSubject(statement)))],
  }
}

const unsureEvidence = (uses: readonly StatementUse[]): string =>
  `${formatQuantity(uses.length, 'recently called statement')} could not be analyzed: ${uses.map(({ statement, unsure }) => `${shortenStatement(statement)} (${unsure})`).join('; ')}: make sure that ${uses.length === 1 ? 'it does' : 'they do'} not use the columns, or remove ${uses.length === 1 ? 'it' : 'them'} from the application and wait for the soak time`

type StatementUse = StatementWatch['uses'][number]

function formatUse(use: StatementUse, access: 'reads' | 'writes'): string {
  return `${use.role} at ${use.calledAt} ${access} ${use[access].join(', ')}: ${use.statement}`
}
