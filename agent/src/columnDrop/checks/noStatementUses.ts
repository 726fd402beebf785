import { formatQuantity } from '../../format/format.ts'
import { createHash } from 'node:crypto'
import { readStatements, statementsFault, type StatementWatch } from '../watch/statementWatch.ts'
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
  const fault = await statementsFault(state)
  if (fault !== null)
    return { verdict: 'inconclusive', evidence: fault, acceptable: ['statements without pg_stat_statements'] }
  const statementWatch = await readStatements(state, context.rollout.name)
  const soakStart = soakStartedAt(context)
  const recentUses = statementWatch.uses.filter(({ calledAt }) => calledAt !== null && calledAt > soakStart)
  const matchingUses = recentUses.filter((use) => use[access].length > 0)
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
  const unsureUses = recentUses.filter((use) => use.unsure !== null)
  if (unsureUses.length > 0)
    return {
      verdict: 'inconclusive',
      evidence: `${formatQuantity(unsureUses.length, 'recently called statement')} could not be analyzed: ${unsureUses.map(({ statement, unsure }) => `${shortenStatement(statement)} (${unsure})`).join('; ')}: make sure that it does not use the columns, or remove it from the application and wait for the soak time`,
      findings: unsureUses.map((use) => `${use.statement}: ${use.unsure}`),
      acceptable: [...new Set(unsureUses.map(({ statement }) => statementSubject(statement)))],
    }
  const earlierCount = statementWatch.uses.filter((use) => use[access].length > 0).length
  return {
    verdict: 'pass',
    evidence: `no statement in pg_stat_statements has ${access === 'reads' ? 'read' : 'written'} the columns since ${soakStart}; watched since ${statementWatch.since}${earlierCount > 0 ? ` (${formatQuantity(earlierCount, 'statement')} did before)` : ''}`,
  }
}

function formatUse(use: StatementWatch['uses'][number], access: 'reads' | 'writes'): string {
  return `${use.role} at ${use.calledAt} ${access} ${use[access].join(', ')}: ${use.statement}`
}

const MAX_SUBJECT_LENGTH = 1_000

/** The statement as one line; a long one by its beginning and its hash. */
function statementSubject(statement: string): string {
  const line = statement.replace(/\s+/g, ' ').trim()
  if (line.length <= MAX_SUBJECT_LENGTH) return line
  return `${line.slice(0, MAX_SUBJECT_LENGTH)}… (${createHash('sha256').update(line).digest('hex').slice(0, 12)})`
}

function shortenStatement(statement: string): string {
  const line = statement.replace(/\s+/g, ' ').trim()
  return line.length > 120 ? `${line.slice(0, 119)}…` : line
}
