import { readStatements, statementsFault, type StatementWatch } from '../watch/statements.ts'
import { counted, soakBegan, tooShort, type DropCheck, type DropCheckContext, type DropFinding } from './check.ts'

export const noReads: DropCheck = {
  name: 'no-statement-reads',
  question: 'Does no statement of the application read the columns any more?',
  run: (context) => judge(context, 'reads'),
}

export const noWrites: DropCheck = {
  name: 'no-statement-writes',
  question: 'Does the application no longer write the columns?',
  run: (context) => judge(context, 'writes'),
}

async function judge(context: DropCheckContext, what: 'reads' | 'writes'): Promise<DropFinding> {
  const { state } = context.database
  const fault = await statementsFault(state)
  if (fault !== null) return { verdict: 'inconclusive', evidence: fault }
  const watched = await readStatements(state, context.rollout.name)
  const began = soakBegan(context)
  const lately = watched.uses.filter(({ calledAt }) => calledAt !== null && calledAt > began)
  const using = lately.filter((use) => use[what].length > 0)
  if (using.length > 0) {
    const first = using[0]!
    return {
      verdict: 'fail',
      evidence: `${counted(using.length, 'statement')} ${using.length === 1 ? 'does' : 'do'} so within the soak time, last at ${first.calledAt}: ${shortened(first.statement)} ${what} ${first[what].join(', ')}; change the application, deploy, and wait`,
      findings: using.map((use) => shown(use, what)),
    }
  }
  const short = tooShort(context, watched.since, watched.restarted)
  if (short !== null) return short
  const unsure = lately.filter((use) => use.unsure !== null)
  if (unsure.length > 0)
    return {
      verdict: 'inconclusive',
      evidence: `of ${counted(unsure.length, 'statement')} that was called lately it cannot be told, ${unsure[0]!.unsure}: ${shortened(unsure[0]!.statement)}`,
      findings: unsure.map((use) => `${use.statement}: ${use.unsure}`),
    }
  const earlier = watched.uses.filter((use) => use[what].length > 0).length
  return {
    verdict: 'pass',
    evidence: `no statement of pg_stat_statements ${what === 'reads' ? 'has read' : 'has written'} them since ${began}; it is watched since ${watched.since}${earlier > 0 ? `; ${counted(earlier, 'statement')} did before` : ''}`,
  }
}

function shown(use: StatementWatch['uses'][number], what: 'reads' | 'writes'): string {
  return `${use.role} at ${use.calledAt} ${what} ${use[what].join(', ')}: ${use.statement}`
}

function shortened(statement: string): string {
  const line = statement.replace(/\s+/g, ' ').trim()
  return line.length > 120 ? `${line.slice(0, 119)}…` : line
}
