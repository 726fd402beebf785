import type { FlagStatus } from '../contract/index.ts'
import type { VersionMark } from './clientRegistry.ts'
import type { ServedFlag } from './evaluation.ts'
import type { InMemoryFlag } from './inMemoryFlag.ts'

export function toFlagStatus(flag: InMemoryFlag, served: ServedFlag, mark: VersionMark, now: number): FlagStatus {
  const on = served.kind === 'state' && served.enabled
  const clients = flag.clients.list(mark)
  return {
    key: flag.key,
    enabled: on,
    percentage: on ? served.percentage : 0,
    version: flag.confirmed?.version ?? 0,
    changedAt: flag.confirmed?.changedAt.toISOString() ?? null,
    changedBy: flag.confirmed?.changedBy?.name ?? null,
    persisted: mark.pending === 0,
    ageSeconds: flag.confirmedAt === null ? null : Math.max(0, now - flag.confirmedAt) / 1000,
    clients,
    consistent: clients.every((client) => !client.stale),
    lastPropagationSeconds: flag.propagation.lastSeconds(),
  }
}
