import type {
  FlagStatus,
  OperationKind,
  OperationState,
  OperationProgress,
  RollbackScope,
  RolloutStage,
  ThrottleReason,
} from '../contract/index.ts'
import type {
  BackupStatus,
  CheckResult,
  Readiness,
  ScopeReadiness,
  Severity,
  VariantComparison,
  Verdict,
} from '../contract/index.ts'

/** The data of the metrics, read from memory at each scrape: nothing here waits. */
export interface MetricsSource {
  readonly build: { readonly version: string; readonly agent: string }
  /** How often the readings are refreshed. Series from readings older than three times this are absent, except the flag's. */
  readonly refreshSeconds: number
  rollouts(): readonly RolloutReadings[]
  /** When the watchdog alert last arrived, in milliseconds since 1970. */
  watchdogSeenAt?(): number | null
  /** Alerts that this process dropped. */
  alertsDropped?(): Readonly<Record<DropReason, number>>
  /** Every rollout, also before the database was read. */
  pendingOffs?(): readonly PendingOffReading[]
}

export interface PendingOffReading {
  readonly rollout: string
  /** Since when the flag is off without the database having stored it; 0: it has. */
  readonly seconds: number
}

/** `queue-full`: sent again by a well-behaved sender. The others are lost. */
export const DROP_REASONS = ['queue-full', 'not-valid', 'write-queue-full', 'unstorable'] as const
export type DropReason = (typeof DROP_REASONS)[number]

export interface RolloutReadings {
  readonly rollout: string
  readonly stage: RolloutStage
  /** Versions of the rollout file that agents currently use. */
  readonly fileVersions: number
  /** From the last validation; null: never counted. */
  readonly coverage: number | null
  readonly backfill: {
    readonly state: OperationState
    readonly progress: OperationProgress
    /** Reason code of `progress.throttled`; without it, a throttled backfill counts as `other`. */
    readonly throttledBy?: ThrottleReason | null
    /** Null: the backfill is not paused. */
    readonly pausedBy: PausedBy | null
  } | null
  /** Rows that failed and are still incorrect. */
  readonly failedRowsBySqlstate: Readonly<Record<string, number>>
  /** Failed rows that nobody has accepted / failed rows that the error budget allows; null: rows were never counted. */
  readonly errorBudgetUsed: number | null
  /** Since the rollout started; never decreases. */
  readonly retriesBySqlstate: Readonly<Record<string, number>>
  /** Writes whose legacy columns and type disagreed, by resolution; null before expand. */
  readonly conflicts: Readonly<Partial<Record<'corrected' | 'refused' | 'legacy' | 'type', number>>> | null
  /** Rows that failed at least once, and how many of them are now correct. */
  readonly recovery: { readonly failedOnce: number; readonly recovered: number }
  /** The newest result of each check, from the last full validation and later ones. */
  readonly checks: readonly CheckResult[]
  /** From the last validation that ran all checks of the layer. */
  readonly integrityScore: number | null
  /** ISO 8601. */
  readonly validationEndedAt: string | null
  readonly validationsByVerdict: Readonly<Partial<Record<Verdict, number>>>
  /** When the next validation starts automatically, in milliseconds since 1970; null: none is scheduled. */
  readonly validationDueAt: number | null
  readonly validationIntervalSeconds: number | null
  /** Mean of each signal in the newest usable baseline; empty without a baseline. */
  readonly baseline: ReadonlyMap<string, number>
  /** The limit of each signal in its own unit, if it is currently known. */
  readonly limits: ReadonlyMap<string, { readonly value: number; readonly side: 'at most' | 'at least' }>
  /** Read from memory, valid also while the database is unavailable. */
  readonly flag: FlagStatus
  readonly rollbackReady: readonly ScopeReadiness[]
  /** Null: not read yet. */
  readonly backup: BackupStatus | null
  /** When the last valid rehearsal ended, in milliseconds since 1970; null: there is none. */
  readonly rehearsedAt: number | null
  readonly operations: readonly {
    readonly kind: OperationKind
    readonly state: OperationState
    readonly count: number
  }[]
  readonly rollbacks: readonly { readonly scope: RollbackScope; readonly cause: string; readonly count: number }[]
  /** Null: not read yet. */
  readonly readiness: Readiness | null
  readonly automaticRollbackArmed: boolean | null
  /** The conditions of rollback rules, without unknown ones. */
  readonly conditions: readonly { readonly rule: string; readonly change: string; readonly unhealthy: boolean }[]
  /** Requests by type against requests by legacy columns; null: there is no control group now. */
  readonly comparison: VariantComparison | null
  /** Incidents that nobody has acknowledged. */
  readonly incidents: readonly OpenIncident[]
  /** Milliseconds since 1970. */
  readonly readAt: number
}

export interface OpenIncident {
  /** Null: the whole environment. */
  readonly rollout: string | null
  readonly severity: Severity
  /** Milliseconds since 1970, by the clock of this machine. */
  readonly openedAt: number
  /** Seconds after which each escalation level is reached. */
  readonly escalationSeconds: readonly number[]
}

export const PAUSED_BY = ['person', 'agent', 'rollback'] as const
export type PausedBy = (typeof PAUSED_BY)[number]
