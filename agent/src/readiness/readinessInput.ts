import type { Attestation, Operation, ReadinessItem } from '../contract/index.ts'
import type { PullRequestState } from '../columnDrop/pullRequest/pullRequestState.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { Reading } from '../signals/reading.ts'
import type { ExternalSystems } from './externalSystems.ts'
import type { RolloutRollback } from './rollbacks.ts'

/** All inputs of readiness, read at one moment. */
export interface ReadinessInput {
  readonly environment: string
  readonly facts: RolloutFacts
  readonly attestations: readonly Attestation[]
  readonly outside: ExternalSystems
  /** When the first operation of the rollout was requested (ISO 8601); null: none. */
  readonly begunAt: string | null
  /** Requests to turn the flag off after it was on, and to roll back the data, in the order of their events. */
  readonly rollbacks: readonly RolloutRollback[]
  /** The state of the pull request of the column drop; null: no repository is configured. */
  readonly pullRequest: Reading<PullRequestState> | null
  /** Since when the watchdog alert has been received, and if it was received recently. */
  readonly alertPath: AlertPathStatus
  /** The critical incidents of the rollout so far, including drills. */
  readonly incidentResponse: IncidentResponseTimes
  /** The number of metric families that this agent exports. */
  readonly families: number
  /** The contents of the report that promotes the rollout to this environment. Null: no valid report. */
  readonly promotedReport: PromotedReport | null
}

export interface AlertPathStatus {
  /** Unix time in milliseconds; null: not since the agent started. */
  readonly seenAt: number | null
  readonly live: boolean
  /** The agent has just started, so the first watchdog alert can still be on its way. */
  readonly starting: boolean
}

/** How fast critical incidents were acknowledged. */
export interface IncidentResponseTimes {
  /** Without `untested`. */
  readonly incidents: number
  /** Neither acknowledged nor closed yet. */
  readonly open: number
  /** Drills that were acknowledged in time by whoever started them. */
  readonly untested: number
  /** Neither acknowledged nor closed in time. */
  readonly late: number
  /** The slowest acknowledgement, in seconds. */
  readonly slowestSeconds: number | null
  /** When the last incident was acknowledged or, if it is still open, opened (ISO 8601). */
  readonly lastAt: string | null
}

export interface PromotedReport {
  readonly from: string
  readonly at: string
  readonly items: readonly ReadinessItem[]
  readonly backfill: Operation | null
}
