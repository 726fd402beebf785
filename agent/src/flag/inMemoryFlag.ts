import type { Rollout } from '../rollout/rollout.ts'
import { createClientRegistry, type ClientRegistry, type VersionMark } from './clientRegistry.ts'
import type { ServedFlag } from './evaluation.ts'
import { createPropagationTracker, type PropagationTracker } from './propagation.ts'
import type { FlagState } from './flagStore.ts'

/** One flag as this process knows it. */
export interface InMemoryFlag {
  readonly rollout: string
  readonly key: string
  /** What the database last said; null until it was read once. */
  confirmed: FlagState | null
  /** When the database last said so, in ms; null: never. */
  confirmedAt: number | null
  readonly clients: ClientRegistry
  readonly propagation: PropagationTracker
  /** The last one that asked for it here, on this process's clock in ms; null: nobody has since the agent started. */
  lastEvaluation: LastEvaluation | null
}

export interface LastEvaluation {
  readonly at: number
  /** Null: it sent no name. */
  readonly client: string | null
}

/** The version of an answer that came from no state at all. */
export const NO_VERSION = -1

export function createInMemoryFlag(
  rollout: Rollout,
  now: () => number,
  clockOffset: () => number,
  onPropagation: (seconds: number) => void,
): InMemoryFlag {
  return {
    rollout: rollout.name,
    key: rollout.file.flag.key,
    confirmed: null,
    confirmedAt: null,
    clients: createClientRegistry(now, clockOffset),
    propagation: createPropagationTracker(now, onPropagation),
    lastEvaluation: null,
  }
}

/** What the flag answers from. An off that is not written yet comes before whatever the database says. */
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
  if (!flag.confirmed) return { kind: 'unknown', why: 'the database was not read yet' }
  const { enabled, percentage, version } = flag.confirmed
  return { kind: 'state', enabled, percentage, version, pending: false }
}

export function toVersionMark(flag: InMemoryFlag, pending: number, offBecause: string | null): VersionMark {
  const version = offBecause === null ? (flag.confirmed?.version ?? NO_VERSION) : NO_VERSION
  return { version, pending }
}
