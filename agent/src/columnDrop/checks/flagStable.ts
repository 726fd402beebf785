import { describeStaleClients } from '../../contract/index.ts'
import { formatDuration } from '../../format/format.ts'
import { type DropCheck } from './dropCheck.ts'

export const flagStable: DropCheck = {
  name: 'flag-stable',
  question: 'Has the flag been at 100% for the soak time?',
  run({ facts, now }) {
    const { flag, rollout } = facts
    const fail = (evidence: string) => Promise.resolve({ verdict: 'fail' as const, evidence })
    if (!flag.enabled)
      return fail(
        'the flag is off: set it to 100%, so that the application reads the type, before you drop the columns',
      )
    if (flag.percentage < 100) return fail(`the flag is at ${flag.percentage}%: set it to 100%`)
    if (!flag.persisted || flag.changedAt === null)
      return Promise.resolve({
        verdict: 'inconclusive' as const,
        evidence: 'the database has not confirmed the flag: check the health of the database',
      })
    const stale = describeStaleClients(flag)
    if (stale !== null) return fail(stale.replace(/\.$/, ''))
    const stableSeconds = (now - Date.parse(flag.changedAt)) / 1000
    if (stableSeconds < rollout.file.soak)
      return fail(
        `the flag has been at 100% for ${formatDuration(Math.max(0, Math.floor(stableSeconds)))} (soak time: ${formatDuration(rollout.file.soak)}): wait until ${new Date(Date.parse(flag.changedAt) + rollout.file.soak * 1000).toISOString()}`,
      )
    return Promise.resolve({
      verdict: 'pass' as const,
      evidence: `the flag has been at 100% since ${flag.changedAt}, for ${formatDuration(Math.floor(stableSeconds))} (soak time: ${formatDuration(rollout.file.soak)})`,
    })
  },
}
