import { readEvaluations } from '../watch/flagEvaluations.ts'
import { soakStartedAt, formatDuration, soakShortfall, type DropCheck } from './dropCheck.ts'

export const flagNotEvaluated: DropCheck = {
  name: 'flag-not-evaluated',
  question: 'Does the application no longer ask for the flag?',
  async run(context) {
    const { database, rollout, facts } = context
    const { since, evaluatedAt, evaluatedBy } = await readEvaluations(database.state, rollout.name)
    const soakStart = soakStartedAt(context)
    if (evaluatedAt !== null && evaluatedAt > soakStart)
      return {
        verdict: 'fail',
        evidence:
          `it was asked for at ${evaluatedAt} by ${evaluatedBy ?? 'a client without a name'}: with the agent out of reach its default, off, would read columns that are gone; ` +
          `remove the flag from the application, deploy, and wait ${formatDuration(rollout.file.soak)}`,
        findings: facts.flag.clients.map(({ client, lastSeenAt }) => `${client}, last at ${lastSeenAt}`),
      }
    return (
      soakShortfall(context, since) ?? {
        verdict: 'pass',
        evidence: `nobody has asked for it since ${soakStart}${evaluatedAt === null ? '' : `, the last one at ${evaluatedAt}`}; it is watched since ${since}`,
      }
    )
  },
}
