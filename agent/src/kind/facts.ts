import {
  writesTable,
  type Acceptance,
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
  type ValidationLayer,
} from '../contract/index.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'

/** A journaled change that has not been reverted. */
export interface JournaledChange {
  readonly id: bigint
  readonly kind: string
  readonly object: string
  readonly statement: string
  readonly inverse: string
  /** The previous state, as recorded by the code that made the change. */
  readonly before: unknown
  /** ISO 8601, by the clock of the database. */
  readonly appliedAt: string
  readonly confirmed: boolean
  /** SQL that reads the definition, see ddl/; null: journaled by an earlier version of the agent. */
  readonly definitionSql: string | null
  readonly definitionAfterRevert: string | null
  /** The result of `definitionSql` right after the change. */
  readonly definitionAfterApply: string | null
}

/** The constant that expand added the column with (`prefill: majority`). */
export interface Prefill {
  readonly type: string
  /** Share of the sampled rows with this derived type, 0 to 1. */
  readonly share: number
  readonly sampledRows: number
}

/** A run of the column drop without the files it produced: facts are read every few seconds. */
export type ColumnDropSummary = Pick<
  PreparedColumnDrop,
  'id' | 'at' | 'derivationHash' | 'verdict' | 'prepared' | 'reasons'
> & {
  readonly pullRequest: { readonly title: string; readonly url: string | null } | null
  /** True: based on the archive; a draft is not. */
  readonly archived: boolean
}

/** The rollout file against the catalog (operation/tableFacts.ts). */
export interface TableFacts {
  /** With the meaning that PostgreSQL gave its names, unless `faults` says why it has none. */
  readonly rollout: Rollout
  /** Null: the table could not be read, and `faults` says why. */
  readonly table: Table | null
  /** Why nothing can be done with this rollout now; each sentence says what to do. */
  readonly faults: readonly string[]
  /** The faults for which the table must not be touched at all. The others leave the rollbacks open. */
  readonly blockers: readonly string[]
  /** UPDATE triggers of the application that the file does not declare: backfill is refused until it does. */
  readonly undeclaredTriggers: readonly string[]
  readonly notes: readonly string[]
  /** Legacy columns that the table does not have. All of them: the migration of the column drop has run. */
  readonly droppedColumns: readonly string[]
  /** One sentence for each column of the dual-write trigger that others have renamed, retyped, or dropped, with the remedy. */
  readonly columnChanges: readonly string[]
  /** Null if the dual-write trigger is intact; otherwise the fault. Meaningful only after expand. */
  readonly triggerFault: string | null
  /** The column exists, and the trigger is intact. */
  readonly expanded: boolean
  readonly finalizeMissing: readonly string[]
}

/** The journal of changes (operation/journalFacts.ts). */
export interface JournalFacts {
  /** Changes of the table, oldest first. */
  readonly changes: readonly JournaledChange[]
  readonly monitoringChanges: readonly JournaledChange[]
}

/** The history of operations (operation/historyFacts.ts). Instants are ISO 8601. */
export interface HistoryFacts {
  /** Operations that have not ended. */
  readonly openOperations: readonly Operation[]
  /** The last operation that succeeded, per kind and per scope of a rollback, oldest first. */
  readonly succeededOperations: readonly Operation[]
  readonly lastSucceededBackfill: Operation | null
  /** The newest backfill or retry, whatever its outcome. */
  readonly lastBackfillId: number | null
  readonly lastDataRollback: Operation | null
  readonly lastFlagRollback: Operation | null
  /** When a rehearsal was last requested, whatever its outcome. */
  readonly rehearsalRequestedAt: string | null
  /** When the last backfill, retry, or data rollback ended, whatever its outcome. */
  readonly lastWriteEndedAt: string | null
  /** An expand or a backfill has started since the last complete rollback: the column may hold values that STI derived. */
  readonly mayHoldDerivedValues: boolean
}

/** The discriminator column, from journal and history. */
export interface DiscriminatorFacts {
  /** When expand added the column, ISO 8601; null: expand did not add it, or it does not exist. */
  readonly columnAddedAt: string | null
  /**
   * Rows may hold this constant whatever their type is: expand added the column with it, and no backfill has completed
   * since. Nothing may read the column until then. Null: a row that was not written yet holds NULL.
   */
  readonly activePrefill: Prefill | null
}

/** Validations and failed rows. */
export interface ValidationFacts {
  /** The newest one that covers everything the file requires; if there is none, the newest. */
  readonly validation: Validation | null
  /** Checks that passed or were not run in `validation`, and failed in a later, possibly partial one. */
  readonly checksFailedSince: readonly { readonly check: string; readonly layer: ValidationLayer }[]
  /** Counts of the newest validation with a complete integrity layer. `startedAt`: ISO 8601. */
  readonly lastCounts: { readonly coverage: number; readonly integrityScore: number; readonly startedAt: string } | null
  /** Rows that failed, are still wrong, and were not accepted by an admin. */
  readonly failedRows: number
  readonly acceptedRows: number
}

/** What admins accepted of checks that cannot decide, newest first. */
export interface AcceptanceFacts {
  readonly acceptances: readonly Acceptance[]
}

/** Writes of the last soak time that will be conflicts after finalize (dualWrite/correctedWrites.ts). */
export interface CorrectedWrites {
  /** Since expand created the counter. */
  readonly count: number
  /** ISO 8601, in whole seconds. */
  readonly lastAt: string
  /** The statements without their constants, most recent first; never empty. */
  readonly statements: readonly string[]
  /** The statements that no admin has accepted. */
  readonly open: readonly string[]
}

export interface ConflictFacts {
  /** Null: there were none in the last soak time, or finalize has run. */
  readonly correctedWrites: CorrectedWrites | null
}

/** The versions of the rollout file (operation/fileVersions.ts). */
export interface FileFacts {
  /** Agents that currently use another version of the file. */
  readonly otherFiles: readonly {
    readonly agent: string
    readonly hash: string
    readonly derivesAlike: boolean
    /** The values that differ; empty: only the text differs, or the other version was not recorded yet. */
    readonly changedPaths: readonly string[]
  }[]
  /** The changes since the last expand in how types are derived; null if there are none, or no expand. */
  readonly derivationChange: { readonly since: string; readonly changedPaths: readonly string[] } | null
}

/** The column drop and its archive. */
export interface ColumnDropFacts {
  /** The newest run, and why it is stale; null: there was none. */
  readonly columnDrop: (ColumnDropSummary & { readonly staleBecause: string | null }) | null
  /** Archive of the legacy columns; null: there is none, or it was removed. */
  readonly archive: ColumnArchive | null
}

/** What is known of a rollout at one moment, read from catalog and state, grouped by its owner. */
export interface RolloutFacts
  extends
    TableFacts,
    JournalFacts,
    HistoryFacts,
    DiscriminatorFacts,
    ValidationFacts,
    AcceptanceFacts,
    ConflictFacts,
    FileFacts,
    ColumnDropFacts {
  readonly monitoring: Monitoring
  /** Null: the rollout file does not require a promotion in this environment. */
  readonly promotion: PromotionGate | null
  readonly backup: BackupStatus
  /** The newest usable baseline; if none is usable, the newest, which says why. */
  readonly baseline: BaselineSummary | null
  /** When the reading of all facts began, in milliseconds since 1970 by the clock of this agent. */
  readonly readSince: number
  readonly flag: FlagStatus
  /** A validation of this file has found the rows correct since the last backfill, retry, or rollback ended. */
  readonly coverageVerified: boolean
  readonly stage: RolloutStage
}

/** The open operation that writes the table; null: there is none. */
export const findWriter = ({ openOperations }: Pick<RolloutFacts, 'openOperations'>): Operation | null =>
  openOperations.find(writesTable) ?? null
