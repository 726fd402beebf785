import type { FlagStatus, OperationKind, Validation, VariantComparison } from '../../contract/index.ts'
import type { ApiReadings } from '../../signals/apiScraper.ts'
import type { Reading } from '../../signals/reading.ts'
import type { RecentRequests } from '../../signals/recentRequests.ts'

/** What the last control group allows: its own values plus the margin. */
export interface ControlLimits {
  /** Of the 95th percentile, in seconds. */
  readonly latency: number | null
  /** Of the ratio of failed requests. */
  readonly errorRatio: number | null
}

/** The input for the conditions of one rollout at one instant; all from memory. */
export interface ConditionInput {
  /** Milliseconds since 1970. */
  readonly now: number
  /** The flag as this agent serves it. */
  readonly flag: FlagStatus
  /** How long the active change has lasted, in seconds; earlier requests are not counted. */
  readonly activeSeconds: number
  /** Since when at least one client has been stale, in milliseconds since 1970; null: none is stale. */
  readonly inconsistentSince: number | null
  /** Requests counted at the application; unknown while no change is active. */
  readonly requests: Reading<RecentRequests>
  /** True if the rollout file reads the application from a histogram, which counts requests. */
  readonly counted: boolean
  readonly api: ApiReadings
  /** Requests by type against requests by legacy columns; null: there is no control group. */
  readonly comparison: VariantComparison | null
  /** What the control group of the step before allows, at 100%; null: there was none. */
  readonly controlLimits: ControlLimits | null
  /** The last state of the database; null: not read since the agent started. */
  readonly state: DatabaseState | null
}

/** What the conditions of the application need. */
export type ApplicationInput = Pick<
  ConditionInput,
  'activeSeconds' | 'counted' | 'api' | 'comparison' | 'controlLimits' | 'state'
> & { readonly requests: Reading<Pick<RecentRequests, 'countLast'>> }

export interface DatabaseState {
  readonly readAt: number
  /** When the reading began: what has changed since then may be missing. */
  readonly readSince: number
  /** The running or queued operation that writes the table. */
  readonly writer: { readonly kind: OperationKind; readonly id: number } | null
  /** The newest backfill, in any state. */
  readonly lastBackfill: number | null
  readonly covered: boolean
  readonly validation: Validation | null
  readonly failedSince: readonly string[]
  /** End of the last bulk write; ISO 8601. */
  readonly lastWriteEndedAt: string | null
  readonly failedRows: number
  /** Null: neither counted nor estimated. */
  readonly totalRows: number | null
  readonly errorBudget: number
  /** Limit of the 95th percentile, in seconds; null: no baseline. */
  readonly latencyLimit: number | null
  /** Limit of the ratio of failed requests. */
  readonly errorLimit: number
}

/** An older state is treated as unknown. */
export const MAX_STATE_AGE_MS = 10_000

/** The active change, which a rollback would revert; null: the flag is off and no backfill runs. */
export function activeChange({ flag, state }: Pick<ConditionInput, 'flag' | 'state'>): string | null {
  if (flag.enabled) return flagChange(flag)
  return state?.writer ? `${state.writer.kind}-${state.writer.id}` : null
}

export const flagChange = ({ version }: Pick<FlagStatus, 'version'>): string => `flag-${version}`
