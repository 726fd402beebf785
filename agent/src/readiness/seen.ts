import type { Attestation, Operation, ReadinessItem } from '../contract/index.ts'
import type { Facts } from '../engine/facts.ts'
import type { Outside } from './outside.ts'

/** All that readiness is judged by, read at one moment. */
export interface Seen {
  readonly environment: string
  readonly facts: Facts
  readonly attestations: readonly Attestation[]
  readonly outside: Outside
  /** The first operation of the rollout; null: there is none. ISO 8601. */
  readonly begunAt: string | null
  /** The flag turned off after it was on, and the data taken back: what was called for, in the order of events. */
  readonly rollbacks: readonly { readonly what: string; readonly at: string }[]
  /** The series that this agent gives. */
  readonly families: number
  /** Of the report that promotes it here: what it said, and where and when. Null: there is none that counts. */
  readonly promoted: Promoted | null
}

export interface Promoted {
  readonly from: string
  readonly at: string
  readonly items: readonly ReadinessItem[]
  readonly backfill: Operation | null
}
