import type { FlagStatus, OperationKind, Validation } from '../../contract/index.ts'
import type { ApiReadings } from '../../signals/apiScraper.ts'
import type { Reading } from '../../signals/reading.ts'
import type { RecentRequests } from '../../signals/recentRequests.ts'

/** What the conditions of one rollout are read from, at one moment; all of it from memory. */
export interface ConditionInput {
  /** Milliseconds since 1970. */
  readonly now: number
  /** As this agent serves it. */
  readonly flag: FlagStatus
  /** For how long what is under way has been so, in seconds: requests of before say nothing of it. */
  readonly activeSeconds: number
  /** Since when a client has been stale without a break, in milliseconds since 1970; null: none is. */
  readonly inconsistentSince: number | null
  /** Counted at the application; unknown while nothing of ours is under way. */
  readonly requests: Reading<RecentRequests>
  /** Whether the rollout file reads the application from a histogram, which counts requests. */
  readonly counted: boolean
  readonly api: ApiReadings
  /** What the database last said; null: it has not been read since the agent started. */
  readonly state: DatabaseState | null
}

export interface DatabaseState {
  readonly readAt: number
  /** The operation that writes the table, or raises the flag, as long as it is open. */
  readonly writer: { readonly kind: OperationKind; readonly id: number } | null
  /** The newest backfill, however it ended. */
  readonly lastBackfill: number | null
  readonly covered: boolean
  readonly validation: Validation | null
  readonly failedSince: readonly string[]
  /** When rows were last written in bulk; ISO 8601. */
  readonly lastWriteEndedAt: string | null
  readonly failedRows: number
  /** Null: nobody has counted or estimated them. */
  readonly totalRows: number | null
  readonly errorBudget: number
  /** What the 95th percentile may reach, in seconds; null: there is no baseline to judge by. */
  readonly latencyLimit: number | null
  /** What part of the requests may fail. */
  readonly errorLimit: number
}

/** What was read longer ago says nothing of now. */
export const MAX_STATE_AGE_MS = 10_000

/** The change that is under way now, which a rollback takes back; null: the flag is off and nothing is written. */
export function activeChange({ flag, state }: Pick<ConditionInput, 'flag' | 'state'>): string | null {
  if (flag.enabled) return flagChange(flag)
  return state?.writer ? `${state.writer.kind}-${state.writer.id}` : null
}

export const flagChange = ({ version }: Pick<FlagStatus, 'version'>): string => `flag-${version}`
