import { formatDuration, type DropCheck } from './dropCheck.ts'

export const flagStable: DropCheck = {
  name: 'flag-stable',
  question: 'Is the flag at 100 %, and has it been for the soak time?',
  run({ facts, now }) {
    const { flag, rollout } = facts
    const fail = (evidence: string) => Promise.resolve({ verdict: 'fail' as const, evidence })
    if (!flag.enabled) return fail('the flag is off: new code has to read by type before the old columns can go')
    if (flag.percentage < 100) return fail(`the flag is at ${flag.percentage} %: take it to 100 %`)
    if (!flag.persisted || flag.changedAt === null)
      return Promise.resolve({
        verdict: 'inconclusive' as const,
        evidence: 'the database has not confirmed the flag: look at its health',
      })
    const staleClients = flag.clients.filter((client) => client.stale).map(({ client }) => client)
    if (staleClients.length > 0)
      return fail(
        `clients have not seen the flag at 100 %: ${staleClients.join(', ')}; wait for them, or accept each by name`,
      )
    const stableSeconds = (now - Date.parse(flag.changedAt)) / 1000
    if (stableSeconds < rollout.file.soak)
      return fail(
        `it is at 100 % for ${formatDuration(Math.max(0, stableSeconds))} only: wait until ${new Date(Date.parse(flag.changedAt) + rollout.file.soak * 1000).toISOString()}, the soak time is ${formatDuration(rollout.file.soak)}`,
      )
    return Promise.resolve({
      verdict: 'pass' as const,
      evidence: `it is at 100 % since ${flag.changedAt}, ${formatDuration(stableSeconds)}; the soak time is ${formatDuration(rollout.file.soak)}`,
    })
  },
}
