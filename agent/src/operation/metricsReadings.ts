import type { OperationKind, OperationState, RolloutDetail, ScopeReadiness, Verdict } from '../contract/index.ts'
import { operationName, RollbackScope, writesTable } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { readConflictCounts } from '../dualWrite/conflictCounts.ts'
import { findWriter, type RolloutFacts } from '../kind/facts.ts'
import type { OperationDefinitions } from '../kind/kind.ts'
import { resolveLimits, type ThrottleConfig } from '../throttle/limits.ts'
import { listSignalLimits, type SignalLimit } from '../measure/signalLimits.ts'
import type { PausedBy, RolloutReadings, ThrottleReason } from '../metrics/metricsSource.ts'
import { THROTTLE_REASONS } from '../metrics/metricsSource.ts'
import { promotionHash } from '../rollout/promotionHash.ts'
import { estimateRollback, lastVerifiedAt } from '../rollback/rollbackEstimate.ts'
import { NOTHING_TO_ROLL_BACK, hasNothingToRollBack } from '../rollback/rollbackRefusals.ts'
import { rehearsalStatus, lastMatchingRehearsalAt } from '../rollback/rehearsalStatus.ts'
import { readLatestCheckResults } from '../validation/store.ts'
import { listAllowedActions } from './allowedActions.ts'
import { listOperations, toOperation } from './operationRow.ts'
import { nextValidationDueAt, readLastValidationRequestedAt } from './scheduler.ts'
import { currentCoverage } from './rolloutStage.ts'
import { PAUSED_BY_ROLLBACK_MESSAGE } from './transition.ts'

/** A rollout as the API answers it, what the room of incidents knows apart. */
export async function readRolloutDetail(
  sql: Sql,
  facts: RolloutFacts,
  environment: string,
  kinds: OperationDefinitions,
): Promise<Omit<RolloutDetail, 'automaticRollback' | 'incidents' | 'openIncidents'>> {
  const { rollout } = facts
  const operations = (await listOperations(sql, rollout.name, 20)).map(toOperation)
  return {
    rollout: rollout.name,
    environment,
    table: `${rollout.table.schema}.${rollout.table.name}`,
    stage: facts.stage,
    coverage: currentCoverage(facts),
    flag: facts.flag,
    running: findWriter(facts) ?? facts.openOperations[0] ?? null,
    failedRows: facts.failedRows + facts.acceptedRows,
    rollbackReady: assessRollbackReadiness(facts),
    backup: facts.backup,
    faults: [...facts.faults],
    file: rollout.text,
    fileHash: rollout.hash,
    promotionHash: promotionHash(rollout.file),
    promotion: facts.promotion,
    monitoring: facts.monitoring,
    rehearsal: rehearsalStatus(facts),
    discriminator: { column: rollout.discriminator.column, dataType: rollout.discriminator.dataType },
    types: [...rollout.types],
    legacyColumns: [...rollout.legacyColumns],
    operations,
    validation: facts.validation,
    baseline: facts.baseline,
    actions: listAllowedActions(facts, kinds),
    notes: [...facts.notes, ...prefillNotes(facts)],
  }
}

function prefillNotes({ activePrefill: prefilled, rollout }: RolloutFacts): string[] {
  if (prefilled === null) return []
  return [
    `Rows that were not written yet read as ${prefilled.type}, whatever they are: nothing may read ${rollout.discriminator.column} before the backfill has ended and a validation has passed.`,
  ]
}

/** Whether each scope could be taken back now, how long that would take, and since when that is proved. */
export function assessRollbackReadiness(facts: RolloutFacts): ScopeReadiness[] {
  const flagReasons = facts.flag.ageSeconds === null ? ['The flag has not been read from the database yet.'] : []
  const writerRefusals = facts.openOperations
    .filter(writesTable)
    .map((open) => `${operationName(open)} is ${open.state}: cancel it first.`)
  const dataReasons = [
    ...facts.blockers,
    ...(facts.table?.discriminator === null || hasNothingToRollBack(facts) ? [NOTHING_TO_ROLL_BACK] : []),
    ...writerRefusals,
  ]
  const reasons: Record<RollbackScope, readonly string[]> = {
    flag: flagReasons,
    data: dataReasons,
    system:
      facts.changes.length + facts.monitoringChanges.length > 0 ? [...facts.blockers, ...writerRefusals] : dataReasons,
    monitoring: facts.blockers,
  }
  return RollbackScope.options.map((scope) => {
    const { seconds, basis } = estimateRollback(facts, scope)
    return {
      scope,
      ready: reasons[scope].length === 0,
      reasons: [...reasons[scope]],
      estimatedSeconds: seconds,
      estimateBasis: basis,
      provedAt: lastVerifiedAt(facts, scope),
    }
  })
}

/** What made an operation, by who asked for it. */
const ROLLBACK_CAUSE_BY_VIA: Readonly<Record<string, string>> = { agent: 'agent', webhook: 'alert' }

/** Numbers for the metrics that only the whole history has. */
export async function readMetricsReadings(
  sql: Sql,
  facts: RolloutFacts,
): Promise<Omit<RolloutReadings, 'readiness' | 'automaticRollbackArmed' | 'conditions' | 'incidents'>> {
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
            and e.after->>'state' in ('pausing', 'paused') order by e.id desc limit 1) as rolled
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
    coverage: currentCoverage(facts),
    backfill: lastBackfill?.progress
      ? {
          state: lastBackfill.state,
          progress: lastBackfill.progress,
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

function baselineReadings({ baseline, rollout }: RolloutFacts): Pick<RolloutReadings, 'baseline' | 'limits'> {
  const signals = baseline?.unusable.length === 0 ? baseline.signals : []
  const means = new Map(signals.flatMap(({ signal, mean }) => (mean === null ? [] : [[signal, mean]])))
  return {
    baseline: means,
    limits: new Map([...listSignalLimits(rollout.file, means), ...throttleValueLimits(rollout.file)]),
  }
}

/** What the throttle waits above, of the signals that are judged beside a backfill too. */
function throttleValueLimits(file: ThrottleConfig): [string, SignalLimit][] {
  const { replicationLagBytes, oldestSnapshotSeconds } = resolveLimits(file)
  const limits = { replication: replicationLagBytes.pause, 'oldest-transaction': oldestSnapshotSeconds.pause }
  return Object.entries(limits).flatMap(([signal, value]): [string, SignalLimit][] =>
    value === null ? [] : [[signal, { value, side: 'at most' }]],
  )
}

/** A budget of no row at all is exceeded by the first one. */
function errorBudgetUsed({ failedRows, rollout }: RolloutFacts, rows: number | null): number | null {
  if (rows === null) return null
  const allowed = rollout.file.errorBudget * rows
  return allowed > 0 ? failedRows / allowed : failedRows > 0 ? 1 + failedRows : 0
}

/** The short code before the colon, as far as the series knows it. */
function toThrottleReason(throttled: string | null): ThrottleReason | null {
  if (throttled === null) return null
  const code = throttled.split(':')[0]!
  if (code.endsWith('-unknown')) return 'unknown-signal'
  return THROTTLE_REASONS.find((reason) => reason === code) ?? 'other'
}

interface BackfillRow {
  readonly state: OperationState
  readonly error: string | null
  readonly progress: RolloutDetail['operations'][number]['progress']
  /** The last one that asked it to pause was an automatic rollback; null: nobody did. */
  readonly rolled: boolean | null
}

/** What the agent paused after trouble says which; a person’s pause, and that of a rollback, have no error. */
function toPausedBy({ state, error, rolled }: BackfillRow): PausedBy | null {
  if (state !== 'paused') return null
  if (error !== null) return 'agent'
  return rolled === true ? 'rollback' : 'person'
}
