import type { Rollout } from '../rollout/rollout.ts'
import { createClients, type Clients, type Mark } from './clients.ts'
import type { Served } from './evaluation.ts'
import { createPropagation, type Propagation } from './propagation.ts'
import type { FlagState } from './write.ts'

/** One flag as this process knows it. */
export interface Flag {
  readonly rollout: string
  readonly key: string
  /** What the database last said; null until it was read once. */
  confirmed: FlagState | null
  /** When the database last said so, in ms; null: never. */
  confirmedAt: number | null
  readonly clients: Clients
  readonly propagation: Propagation
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

export function createFlag(
  rollout: Rollout,
  now: () => number,
  clockOffset: () => number,
  onPropagation: (seconds: number) => void,
): Flag {
  return {
    rollout: rollout.name,
    key: rollout.file.flag.key,
    confirmed: null,
    confirmedAt: null,
    clients: createClients(now, clockOffset),
    propagation: createPropagation(now, onPropagation),
    lastEvaluation: null,
  }
}

/** What the flag answers from. An off that is not written yet comes before whatever the database says. */
export function servedOf(flag: Flag, pending: number, offBecause: string | null): Served {
  if (pending > 0)
    return {
      kind: 'state',
      enabled: false,
      percentage: 0,
      version: markOf(flag, pending, offBecause).version,
      pending: true,
    }
  if (offBecause !== null) return { kind: 'unknown', why: offBecause }
  if (!flag.confirmed) return { kind: 'unknown', why: 'the database was not read yet' }
  const { enabled, percentage, version } = flag.confirmed
  return { kind: 'state', enabled, percentage, version, pending: false }
}

export function markOf(flag: Flag, pending: number, offBecause: string | null): Mark {
  const version = offBecause === null ? (flag.confirmed?.version ?? NO_VERSION) : NO_VERSION
  return { version, pending }
}
