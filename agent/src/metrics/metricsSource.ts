import type {
  FlagStatus,
  OperationKind,
  OperationState,
  OperationProgress,
  RollbackScope,
  RolloutStage,
  ThrottleReason,
} from '../contract/index.ts'
import type { BackupStatus, CheckResult, Readiness, ScopeReadiness, Severity, Verdict } from '../contract/index.ts'

/** What the metrics need of the agent: plain data, read from memory at each scrape; nothing here may wait. */
export interface MetricsSource {
  readonly build: { readonly version: string; readonly agent: string }
  /** How often the readings are refreshed; those older than three times this are absent, but for the flag's. */
  readonly refreshSeconds: number
  rollouts(): readonly RolloutReadings[]
  /** When the watchdog alert last arrived, in milliseconds since 1970. */
  watchdogSeenAt?(): number | null
}

export interface RolloutReadings {
  readonly rollout: string
  readonly stage: RolloutStage
  /** Of the last validation; null: never counted. */
  readonly coverage: number | null
  readonly backfill: {
    readonly state: OperationState
    readonly progress: OperationProgress
    /** Short code of `progress.throttled`; without it a throttled backfill says `other`. */
    readonly throttledBy?: ThrottleReason | null
    /** Null: it does not stand paused. */
    readonly pausedBy: PausedBy | null
  } | null
  /** Rows that failed and are not right now. */
  readonly failedRowsBySqlstate: Readonly<Record<string, number>>
  /** Failed rows that nobody accepted / those that the file's error budget allows; null: the rows were never counted. */
  readonly errorBudgetUsed: number | null
  /** Since the rollout began; never falls. */
  readonly retriesBySqlstate: Readonly<Record<string, number>>
  /** Rows that failed at least once, and those of them that are right now. */
  /** Writes of legacy columns and a type that disagreed, by what became of them; null before finalize. */
  readonly conflicts: Readonly<Record<'refused' | 'legacy' | 'type', number>> | null
  readonly recovery: { readonly failedOnce: number; readonly recovered: number }
  /** The newest result of each check, the last whole validation and later ones. */
  readonly checks: readonly CheckResult[]
  /** Of the last validation that ran all checks of the layer. */
  readonly integrityScore: number | null
  /** ISO 8601. */
  readonly validationEndedAt: string | null
  readonly validationsByVerdict: Readonly<Partial<Record<Verdict, number>>>
  /** When the next one starts by itself, in milliseconds since 1970; null: none will as things stand. */
  readonly validationDueAt: number | null
  readonly validationIntervalSeconds: number | null
  /** Mean of each signal in the newest baseline that can be used; empty without one. */
  readonly baseline: ReadonlyMap<string, number>
  /** What each signal may reach, in its own unit, as far as one can tell now. */
  readonly limits: ReadonlyMap<string, { readonly value: number; readonly side: 'at most' | 'at least' }>
  /** From memory, true also while the database is away. */
  readonly flag: FlagStatus
  readonly rollbackReady: readonly ScopeReadiness[]
  /** Null: nobody has asked yet. */
  readonly backup: BackupStatus | null
  /** When the last rehearsal that counts has ended, in milliseconds since 1970; null: there is none. */
  readonly rehearsedAt: number | null
  readonly operations: readonly {
    readonly kind: OperationKind
    readonly state: OperationState
    readonly count: number
  }[]
  readonly rollbacks: readonly { readonly scope: RollbackScope; readonly cause: string; readonly count: number }[]
  /** Null: it has not been read. */
  readonly readiness: Readiness | null
  readonly automaticRollbackArmed: boolean | null
  /** What rollback rules fire on; those that are unknown are left out. */
  readonly conditions: readonly { readonly rule: string; readonly change: string; readonly unhealthy: boolean }[]
  /** Those that nobody has acknowledged. */
  readonly incidents: readonly OpenIncident[]
  /** Milliseconds since 1970. */
  readonly readAt: number
}

export interface OpenIncident {
  /** Null: of the environment as a whole. */
  readonly rollout: string | null
  readonly severity: Severity
  /** Milliseconds since 1970, by this machine's clock. */
  readonly openedAt: number
  /** Seconds after which each level of escalation is reached. */
  readonly escalationSeconds: readonly number[]
}

export const PAUSED_BY = ['person', 'agent', 'rollback'] as const
export type PausedBy = (typeof PAUSED_BY)[number]
