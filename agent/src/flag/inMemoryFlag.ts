import type { Rollout } from '../rollout/rollout.ts'
import { createClientRegistry, type ClientRegistry, type VersionMark } from './clientRegistry.ts'
import type { ServedFlag } from './evaluation.ts'
import { createPropagationTracker, type PropagationTracker } from './propagation.ts'
import type { FlagState } from './flagStore.ts'
import type { PendingOffState } from './pendingWrites.ts'
import type { FlagStatus } from '../contract/index.ts'

/** The state of one flag in this process. */
export interface InMemoryFlag {
  readonly rollout: string
  readonly key: string
  /** State last read from the database; null: not read yet. */
  confirmed: FlagState | null
  /** When that state was confirmed, in ms; null: never. */
  confirmedAt: number | null
  readonly clients: ClientRegistry
  readonly longestRequestSeconds: number
  readonly propagation: PropagationTracker
  /** The last evaluation since the agent started, by the local clock in ms; null: none. */
  lastEvaluation: LastEvaluation | null
}

export interface LastEvaluation {
  readonly at: number
  /** Null: the client sent no name. */
  readonly client: string | null
}

/** The version of an evaluation without a known state. */
export const NO_VERSION = -1

export function createInMemoryFlag(
  rollout: Rollout,
  now: () => number,
  clockOffset: () => number,
  onPropagation: (seconds: number) => void,
): InMemoryFlag {
  const { key, longestRequest } = rollout.file.flag
  return {
    rollout: rollout.name,
    key,
    confirmed: null,
    confirmedAt: null,
    clients: createClientRegistry({ now, clockOffset, longestRequestMs: longestRequest * 1000 }),
    longestRequestSeconds: longestRequest,
    propagation: createPropagationTracker(now, onPropagation),
    lastEvaluation: null,
  }
}

/** The state to serve. A pending off takes precedence over the state in the database. */
export function toServedFlag(flag: InMemoryFlag, pending: number, offBecause: string | null): ServedFlag {
  if (pending > 0)
    return {
      kind: 'state',
      enabled: false,
      percentage: 0,
      version: toVersionMark(flag, pending, offBecause).version,
      pending: true,
    }
  if (offBecause !== null) return { kind: 'unknown', why: offBecause }
  if (!flag.confirmed) return { kind: 'unknown', why: 'the database has not been read yet' }
  const { enabled, percentage, version } = flag.confirmed
  return { kind: 'state', enabled, percentage, version, pending: false }
}

export function toVersionMark(flag: InMemoryFlag, pending: number, offBecause: string | null): VersionMark {
  const version = offBecause === null ? (flag.confirmed?.version ?? NO_VERSION) : NO_VERSION
  return { version, pending }
}

export interface FlagStatusInput {
  readonly flag: InMemoryFlag
  readonly served: ServedFlag
  readonly mark: VersionMark
  readonly pendingOff: PendingOffState | null
  readonly now: number
}

export function toFlagStatus({ flag, served, mark, pendingOff, now }: FlagStatusInput): FlagStatus {
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
    pendingOff: pendingOff && {
      since: new Date(pendingOff.since).toISOString(),
      error: pendingOff.fault,
      spooled: pendingOff.spooled,
    },
    ageSeconds: flag.confirmedAt === null ? null : Math.max(0, now - flag.confirmedAt) / 1000,
    clients,
    consistent: clients.every((client) => !client.stale),
    longestRequestSeconds: flag.longestRequestSeconds,
    lastPropagationSeconds: flag.propagation.lastSeconds(),
  }
}
