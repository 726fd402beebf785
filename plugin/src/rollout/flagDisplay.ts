import type { FlagStatus } from '@sti-rollout/agent/contract'

/** The flag in a few words: `off`, `on`, `on for 10 %`. */
export function formatFlagState(flag: FlagStatus): string {
  if (!flag.enabled) return 'off'
  return flag.percentage >= 100 ? 'on' : `on for ${flag.percentage} %`
}

/** What is not as it should be with the flag, or null. */
export function flagWarning(flag: FlagStatus): string | null {
  if (!flag.persisted) return 'Only in memory: the database is away, and other agents may not know it yet.'
  const stale = flag.clients.filter((client) => client.stale)
  if (stale.length === 0) return null
  return `Not seen yet by ${stale.map((client) => client.client).join(', ')}.`
}
