import { createHash } from 'node:crypto'
import { readStatements, statementsFault, type StatementWatch } from '../watch/statementWatch.ts'
import {
  formatCount,
  soakStartedAt,
  soakShortfall,
  type DropCheck,
  type DropCheckContext,
  type DropFinding,
} from './dropCheck.ts'

export const noStatementReads: DropCheck = {
  name: 'no-statement-reads',
  question: 'Does no statement of the application read the columns any more?',
  run: (context) => checkStatementUses(context, 'reads'),
}

export const noStatementWrites: DropCheck = {
  name: 'no-statement-writes',
  question: 'Does the application no longer write the columns?',
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
    const first = matchingUses[0]!
    return {
      verdict: 'fail',
      evidence: `${formatCount(matchingUses.length, 'statement')} ${matchingUses.length === 1 ? 'does' : 'do'} so within the soak time, last at ${first.calledAt}: ${shortenStatement(first.statement)} ${access} ${first[access].join(', ')}; change the application, deploy, and wait`,
      findings: matchingUses.map((use) => formatUse(use, access)),
    }
  }
  const shortfall = soakShortfall(context, statementWatch.since, statementWatch.restarted)
  if (shortfall !== null) return shortfall
  const unsureUses = recentUses.filter((use) => use.unsure !== null)
  if (unsureUses.length > 0)
    return {
      verdict: 'inconclusive',
      evidence: `of ${formatCount(unsureUses.length, 'statement')} that was called lately it cannot be told, ${unsureUses[0]!.unsure}: ${shortenStatement(unsureUses[0]!.statement)}`,
      findings: unsureUses.map((use) => `${use.statement}: ${use.unsure}`),
      acceptable: [...new Set(unsureUses.map(({ statement }) => statementSubject(statement)))],
    }
  const earlierCount = statementWatch.uses.filter((use) => use[access].length > 0).length
  return {
    verdict: 'pass',
    evidence: `no statement of pg_stat_statements ${access === 'reads' ? 'has read' : 'has written'} them since ${soakStart}; it is watched since ${statementWatch.since}${earlierCount > 0 ? `; ${formatCount(earlierCount, 'statement')} did before` : ''}`,
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
