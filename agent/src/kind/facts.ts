import {
  writesTable,
  type BackupStatus,
  type BaselineSummary,
  type ColumnArchive,
  type FlagStatus,
  type Monitoring,
  type Operation,
  type PreparedColumnDrop,
  type PromotionGate,
  type RolloutStage,
  type Validation,
} from '../contract/index.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'

/** A journaled change that has not been taken back. */
export interface JournaledChange {
  readonly id: bigint
  readonly kind: string
  readonly object: string
  readonly statement: string
  readonly inverse: string
  /** What was there before it, as its maker wrote it down. */
  readonly before: unknown
  /** ISO 8601, by the database's clock. */
  readonly appliedAt: string
  readonly confirmed: boolean
  /** As in engine/ddl.ts; null: an earlier version of the agent has journaled it. */
  readonly look: string | null
  readonly back: string | null
  /** What `look` gave right after the change. */
  readonly made: string | null
}

/** The constant that expand added the column with (`prefill: majority`). */
export interface Prefill {
  readonly type: string
  /** Of the rows looked at, those whose derived type it is: 0 to 1. */
  readonly share: number
  readonly sampledRows: number
}

/** Of a run of the column drop, without what it produced: facts are read every few seconds. */
export type ColumnDropSummary = Pick<
  PreparedColumnDrop,
  'id' | 'at' | 'fileHash' | 'verdict' | 'prepared' | 'reasons'
> & {
  readonly pullRequest: { readonly title: string; readonly url: string | null } | null
  /** It rests on the archive; a draft does not. */
  readonly archived: boolean
}

/** What is known of a rollout at one moment, read from catalog and state. Everything else is derived from it. */
export interface RolloutFacts {
  readonly rollout: Rollout
  /** Null: it could not be read, and `faults` says why. */
  readonly table: Table | null
  /** Why nothing may be done with this rollout now; each sentence says what to do. */
  readonly faults: readonly string[]
  /** Those of them for which the table may not be touched at all. The others are of file and table: a way back stays open. */
  readonly blockers: readonly string[]
  /** The application's own UPDATE triggers that the file does not speak of: backfill is refused until it does. */
  readonly undeclaredTriggers: readonly string[]
  readonly notes: readonly string[]
  /** Of the table. */
  readonly changes: readonly JournaledChange[]
  readonly monitoring: Monitoring
  readonly monitoringChanges: readonly JournaledChange[]
  /** Null: the rollout file wants no promotion in this environment. */
  readonly promotion: PromotionGate | null
  /** When expand added the column; null when it was there before, or is not there. ISO 8601. */
  readonly columnAddedAt: string | null
  /**
   * Rows may hold this constant whatever they are: expand added the column with it, and no backfill has ended since.
   * Nothing may read the column then. Null: a row that was not written yet holds NULL.
   */
  readonly activePrefill: Prefill | null
  /** Null: in order; else what is wrong with the dual-write trigger. Only of meaning when something was expanded. */
  readonly triggerFault: string | null
  /** The column is there, and the trigger in order. */
  readonly expanded: boolean
  /** An expand or a backfill has begun since a rollback took everything back: the column may hold what we derived. */
  readonly mayHoldDerivedValues: boolean
  readonly finalizeMissing: readonly string[]
  /** Operations that have not ended. */
  readonly openOperations: readonly Operation[]
  /** The last one that succeeded of each kind, and of each scope of a rollback; in their order. */
  readonly succeededOperations: readonly Operation[]
  readonly backup: BackupStatus
  readonly lastSucceededBackfill: Operation | null
  /** The newest backfill or retry, whatever became of it. */
  readonly lastBackfillId: number | null
  /** When a rehearsal was last asked for, whatever became of it; ISO 8601. */
  readonly rehearsalRequestedAt: string | null
  readonly lastDataRollback: Operation | null
  readonly lastFlagRollback: Operation | null
  /** The newest that looked at all that the file requires; where there is none, the newest. */
  readonly validation: Validation | null
  /** Checks that `validation` passed or did not have, and that failed in a later one, which may be of a part. */
  readonly checksFailedSince: readonly string[]
  /** What the newest validation with a complete integrity layer counted. `startedAt`: ISO 8601. */
  readonly lastCounts: { readonly coverage: number; readonly integrityScore: number; readonly startedAt: string } | null
  /** When the last backfill, retry or data rollback ended, however it ended; ISO 8601. */
  readonly lastWriteEndedAt: string | null
  /** Rows that failed, are not right yet, and were not accepted by an admin. */
  readonly failedRows: number
  readonly acceptedRows: number
  /** The newest baseline that can be used; when none can, the newest, which says why. */
  readonly baseline: BaselineSummary | null
  readonly flag: FlagStatus
  /** Legacy columns that the table does not have. All of them: the migration of the column drop has run. */
  readonly droppedColumns: readonly string[]
  /** The newest run of the column drop, and why it holds no more; null: there was none. */
  readonly columnDrop: (ColumnDropSummary & { readonly staleBecause: string | null }) | null
  /** Of the legacy columns; null: there is none, or it was removed. */
  readonly archive: ColumnArchive | null
  /** A validation of this file has passed since the last backfill, retry or rollback ended. */
  readonly coverageVerified: boolean
  readonly stage: RolloutStage
}

/** The open operation that writes the table; null: there is none. */
export const findWriter = ({ openOperations }: Pick<RolloutFacts, 'openOperations'>): Operation | null =>
  openOperations.find(writesTable) ?? null
