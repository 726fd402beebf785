import type { OperationKind, OperationProgress, OperationState, RollbackScope, Verdict } from '../contract/index.ts'
import { THROTTLE_REASONS, type ThrottleReason } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { readConflictCounts } from '../dualWrite/conflictCounts.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import { listSignalLimits, type SignalLimit } from '../measure/signalLimits.ts'
import type { PausedBy, RolloutReadings } from '../metrics/metricsSource.ts'
import { assessRollbackReadiness } from '../operation/rollbackReadiness.ts'
import { currentCoverage } from '../operation/rolloutStage.ts'
import { nextValidationDueAt, readLastValidationRequestedAt } from '../operation/scheduler.ts'
import { PAUSED_BY_ROLLBACK_MESSAGE } from '../operation/transition.ts'
import { lastMatchingRehearsalAt } from '../rollback/rehearsalStatus.ts'
import { resolveLimits, type ThrottleConfig } from '../throttle/limits.ts'
import { readLatestCheckResults } from '../validation/store.ts'

/** The cause of a rollback by the `via` of its actor; any other is a person. */
const ROLLBACK_CAUSE_BY_VIA: Readonly<Record<string, string>> = { agent: 'agent', webhook: 'alert' }

/** Reads the values of the metrics that need the whole history of a rollout. */
export async function readMetricsReadings(
  sql: Sql,
  facts: RolloutFacts,
): Promise<Omit<RolloutReadings, 'readiness' | 'automaticRollbackArmed' | 'conditions' | 'comparison' | 'incidents'>> {
  const name = facts.rollout.name
  const [failedRowsBySqlstate, operations, validations, backfills, checks, conflicts, lastValidationRequestedAt] =
    await Promise.all([
      sql<{ sqlstate: string; open: number; once: number; recovered: number }[]>`
      select sqlstate, count(*) filter (where recovered_at is null)::int as open, count(*)::int as once,
        count(*) filter (where recovered_at is not null)::int as recovered
      from sti.failed_row where rollout = ${name} group by sqlstate`,
      sql<{ kind: OperationKind; state: OperationState; scope: RollbackScope | null; count: number; via: string }[]>`
      select kind, state, parameters->>'scope' as scope, actor->>'via' as via, count(*)::int as count
      from sti.operation where rollout = ${name} group by 1, 2, 3, 4`,
      sql<{ verdict: Verdict; count: number; last: Date }[]>`
      select verdict, count(*)::int as count, max(ended_at) as last from sti.validation where rollout = ${name} and ended_at is not null group by 1`,
      sql<BackfillRow[]>`
      select state, error, progress, (select e.message = ${PAUSED_BY_ROLLBACK_MESSAGE} from sti.operation_event e
          where e.operation_id = o.id and e.kind = 'state' and e.before->>'state' in ('queued', 'running')
            and e.after->>'state' in ('pausing', 'paused') order by e.id desc limit 1) as paused_by_rollback
      from sti.operation o where rollout = ${name} and kind = 'backfill' and progress is not null
        and parameters->'failedRowsOnly' is null order by id`,
      facts.validation === null ? [] : readLatestCheckResults(sql, name, facts.validation.id),
      readConflictCounts(sql, facts.rollout),
      readLastValidationRequestedAt(sql, name),
    ])
  const retries: Record<string, number> = {}
  for (const { progress } of backfills) {
    for (const [sqlstate, count] of Object.entries(progress?.retries ?? {}))
      retries[sqlstate] = (retries[sqlstate] ?? 0) + count
  }
  const lastBackfill = backfills.at(-1)
  const operationCounts = new Map<string, { kind: OperationKind; state: OperationState; count: number }>()
  for (const { kind, state, count } of operations) {
    const countKey = `${kind} ${state}`
    operationCounts.set(countKey, { kind, state, count: (operationCounts.get(countKey)?.count ?? 0) + count })
  }
  return {
    rollout: name,
    stage: facts.stage,
    fileVersions: 1 + new Set(facts.otherFiles.map(({ hash }) => hash)).size,
    coverage: currentCoverage(facts),
    backfill: lastBackfill?.progress
      ? {
          state: lastBackfill.state,
          progress: withRetriedRows(
            { state: lastBackfill.state, progress: lastBackfill.progress },
            failedRowsBySqlstate.reduce((sum, row) => sum + row.open, 0),
          ),
          throttledBy: toThrottleReason(lastBackfill.progress.throttled),
          pausedBy: toPausedBy(lastBackfill),
        }
      : null,
    failedRowsBySqlstate: Object.fromEntries(failedRowsBySqlstate.map((row) => [row.sqlstate, row.open])),
    errorBudgetUsed: errorBudgetUsed(facts, lastBackfill?.progress?.totalRows ?? null),
    retriesBySqlstate: retries,
    recovery: {
      failedOnce: failedRowsBySqlstate.reduce((sum, row) => sum + row.once, 0),
      recovered: failedRowsBySqlstate.reduce((sum, row) => sum + row.recovered, 0),
    },
    conflicts,
    checks,
    integrityScore: facts.lastCounts?.integrityScore ?? null,
    validationEndedAt:
      validations
        .map((row) => row.last.toISOString())
        .sort()
        .at(-1) ?? null,
    validationsByVerdict: Object.fromEntries(validations.map((row) => [row.verdict, row.count])),
    validationDueAt: nextValidationDueAt(facts, lastValidationRequestedAt),
    validationIntervalSeconds: facts.rollout.file.validation.every,
    ...baselineReadings(facts),
    flag: facts.flag,
    rollbackReady: assessRollbackReadiness(facts),
    backup: facts.backup,
    rehearsedAt: lastMatchingRehearsalAt(facts),
    operations: [...operationCounts.values()],
    rollbacks: operations
      .filter((row) => row.kind === 'rollback' && row.state === 'succeeded' && row.scope !== null)
      .map((row) => ({ scope: row.scope!, cause: ROLLBACK_CAUSE_BY_VIA[row.via] ?? 'person', count: row.count })),
    readAt: Date.now(),
  }
}

/** The progress of a backfill with its failed rows that were retried since it ended: they are correct, and nothing else counts them. */
export function withRetriedRows(
  { state, progress }: { readonly state: OperationState; readonly progress: OperationProgress },
  openFailedRows: number,
): OperationProgress {
  const retried = state === 'succeeded' ? Math.max(0, progress.failedRows - openFailedRows) : 0
  if (retried === 0) return progress
  const processedRows = Math.min(progress.totalRows, progress.processedRows + retried)
  return { ...progress, processedRows, ratio: Math.floor((processedRows * 10_000) / progress.totalRows) / 10_000 }
}

function baselineReadings({ baseline, rollout }: RolloutFacts): Pick<RolloutReadings, 'baseline' | 'limits'> {
  const signals = baseline?.unusable.length === 0 ? baseline.signals : []
  const means = new Map(signals.flatMap(({ signal, mean }) => (mean === null ? [] : [[signal, mean]])))
  return {
    baseline: means,
    limits: new Map([...listSignalLimits(rollout.file, means), ...throttleValueLimits(rollout.file)]),
  }
}

/** Throttle limits of the signals that are also judged without a backfill. */
function throttleValueLimits(file: ThrottleConfig): [string, SignalLimit][] {
  const { replicationLagBytes, oldestSnapshotSeconds } = resolveLimits(file)
  const limits = { replication: replicationLagBytes.pause, 'oldest-transaction': oldestSnapshotSeconds.pause }
  return Object.entries(limits).flatMap(([signal, value]): [string, SignalLimit][] =>
    value === null ? [] : [[signal, { value, side: 'at most' }]],
  )
}

/** The first failed row exceeds an empty budget. */
function errorBudgetUsed({ failedRows, rollout }: RolloutFacts, rows: number | null): number | null {
  if (rows === null) return null
  const allowed = rollout.file.errorBudget * rows
  return allowed > 0 ? failedRows / allowed : failedRows > 0 ? 1 + failedRows : 0
}

/** The short code before the colon, if the metric has it as a label. */
function toThrottleReason(throttled: string | null): ThrottleReason | null {
  if (throttled === null) return null
  const code = throttled.split(':')[0]!
  if (code.endsWith('-unknown')) return 'unknown-signal'
  return THROTTLE_REASONS.find((reason) => reason === code) ?? 'other'
}

interface BackfillRow {
  readonly state: OperationState
  readonly error: string | null
  readonly progress: OperationProgress | null
  /** True: an automatic rollback requested the last pause; null: nobody requested one. */
  readonly paused_by_rollback: boolean | null
}

/** Only a pause by the agent itself has an error. */
function toPausedBy({ state, error, paused_by_rollback: pausedByRollback }: BackfillRow): PausedBy | null {
  if (state !== 'paused') return null
  if (error !== null) return 'agent'
  return pausedByRollback === true ? 'rollback' : 'person'
}
