import { formatDuration } from '../../format/format.ts'
import { readEvaluations } from '../../measure/flagEvaluations.ts'
import { soakStartedAt, soakShortfall, type DropCheck } from './dropCheck.ts'

export const flagNotEvaluated: DropCheck = {
  name: 'flag-not-evaluated',
  question: 'Has the application stopped evaluating the flag?',
  async run(context) {
    const { database, rollout, facts } = context
    const { since, evaluatedAt, evaluatedBy } = await readEvaluations(database.state, rollout.name)
    const soakStart = soakStartedAt(context)
    if (evaluatedAt !== null && evaluatedAt > soakStart)
      return {
        verdict: 'fail',
        evidence:
          `the flag was last evaluated at ${evaluatedAt} by ${evaluatedBy ?? 'an unnamed client'}: if the agent is unreachable, the default (off) would read the dropped columns; ` +
          `remove the flag from the application, deploy, and wait for the soak time (${formatDuration(rollout.file.soak)})`,
        findings: facts.flag.clients.map(({ client, lastSeenAt }) => `${client}, last seen at ${lastSeenAt}`),
      }
    return (
      soakShortfall(context, since) ?? {
        verdict: 'pass',
        evidence: `no client has evaluated the flag since ${soakStart}${evaluatedAt === null ? '' : ` (last evaluation: ${evaluatedAt})`}; watched since ${since}`,
      }
    )
  },
}
