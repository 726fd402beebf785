import type { Attestation, Operation, ReadinessItem } from '../contract/index.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { ExternalSystems } from './externalSystems.ts'

/** All that readiness is judged by, read at one moment. */
export interface ReadinessInput {
  readonly environment: string
  readonly facts: RolloutFacts
  readonly attestations: readonly Attestation[]
  readonly outside: ExternalSystems
  /** The first operation of the rollout; null: there is none. ISO 8601. */
  readonly begunAt: string | null
  /** The flag turned off after it was on, and the data taken back: what was called for, in the order of events. */
  readonly rollbacks: readonly { readonly what: string; readonly at: string }[]
  /** Since when the watchdog alert has been seen, and whether lately. */
  readonly alertPath: AlertPathStatus
  /** The critical incidents of the rollout so far, drills too. */
  readonly incidentResponse: IncidentResponseTimes
  /** The series that this agent gives. */
  readonly families: number
  /** Of the report that promotes it here: what it said, and where and when. Null: there is none that counts. */
  readonly promotedReport: PromotedReport | null
}

export interface AlertPathStatus {
  /** Milliseconds since 1970; null: not since the agent started. */
  readonly seenAt: number | null
  readonly live: boolean
}

/** How critical incidents were answered. */
export interface IncidentResponseTimes {
  readonly incidents: number
  /** Not acknowledged, nor closed, within their time. */
  readonly late: number
  /** Of those that were answered, in seconds. */
  readonly slowestSeconds: number | null
  /** When the last one was answered, or opened; ISO 8601. */
  readonly lastAt: string | null
}

export interface PromotedReport {
  readonly from: string
  readonly at: string
  readonly items: readonly ReadinessItem[]
  readonly backfill: Operation | null
}
