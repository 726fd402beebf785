import type { OperationKind, OperationState, RolloutDetail, ScopeReadiness, Verdict } from '../contract/index.ts'
import { Scope } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { countConflicts } from '../dualWrite/conflicts.ts'
import type { Facts } from '../engine/facts.ts'
import type { Kind } from '../engine/kind.ts'
import { limitsOf, type LimitedFile } from '../engine/limits.ts'
import { valueLimits, type ValueLimit } from '../measure/limits.ts'
import type { PausedBy, RolloutReadings, ThrottleReason } from '../metrics/source.ts'
import { THROTTLE_REASONS } from '../metrics/source.ts'
import { promotionHash } from '../rollout/promotionHash.ts'
import { estimateOf, provedAt } from '../rollback/estimate.ts'
import { NOTHING, nothingToTakeBack } from '../rollback/refusals.ts'
import { rehearsalStatus, rehearsedAt } from '../rollback/rehearsed.ts'
import { latestResults } from '../validation/store.ts'
import { actionsOf } from './actions.ts'
import { runsBeside } from './beside.ts'
import { listOperations, toOperation } from './row.ts'
import { dueAt, lastAskedAt } from './schedule.ts'
import { coverageOf } from './stage.ts'
import { PAUSED_BY_ROLLBACK } from './transition.ts'

/** A rollout as the API answers it, what the room of incidents knows apart. */
export async function detailOf(
  sql: Sql,
  facts: Facts,
  environment: string,
  kinds: readonly Kind[],
): Promise<Omit<RolloutDetail, 'automaticRollback' | 'incidents' | 'openIncidents'>> {
  const { rollout } = facts
  const operations = (await listOperations(sql, rollout.name, 20)).map(toOperation)
  return {
    rollout: rollout.name,
    environment,
    table: `${rollout.table.schema}.${rollout.table.name}`,
    stage: facts.stage,
    coverage: coverageOf(facts),
    flag: facts.flag,
    running: facts.open.find((one) => !runsBeside(one)) ?? facts.open[0] ?? null,
    failedRows: facts.failedRows + facts.acceptedRows,
    rollbackReady: rollbackReadiness(facts),
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
    actions: actionsOf(facts, kinds),
    notes: [...facts.notes, ...prefillNotes(facts)],
  }
}

function prefillNotes({ prefilled, rollout }: Facts): string[] {
  if (prefilled === null) return []
  return [
    `Rows that were not written yet read as ${prefilled.type}, whatever they are: nothing may read ${rollout.discriminator.column} before the backfill has ended and a validation has passed.`,
  ]
}

/** Whether each scope could be taken back now, how long that would take, and since when that is proved. */
export function rollbackReadiness(facts: Facts): ScopeReadiness[] {
  const flagReasons = facts.flag.ageSeconds === null ? ['The flag has not been read from the database yet.'] : []
  const busy = facts.open
    .filter((one) => !runsBeside(one))
    .map((one) => `${one.kind} ${one.id} is ${one.state}: cancel it first.`)
  const dataReasons = [
    ...facts.blockers,
    ...(facts.table?.discriminator === null || nothingToTakeBack(facts) ? [NOTHING] : []),
    ...busy,
  ]
  const reasons: Record<Scope, readonly string[]> = {
    flag: flagReasons,
    data: dataReasons,
    system: facts.changes.length + facts.monitoringChanges.length > 0 ? [...facts.blockers, ...busy] : dataReasons,
    monitoring: facts.blockers,
  }
  return Scope.options.map((scope) => {
    const { seconds, basis } = estimateOf(facts, scope)
    return {
      scope,
      ready: reasons[scope].length === 0,
      reasons: [...reasons[scope]],
      estimatedSeconds: seconds,
      estimateBasis: basis,
      provedAt: provedAt(facts, scope),
    }
  })
}

/** What made an operation, by who asked for it. */
const CAUSES: Readonly<Record<string, string>> = { agent: 'agent', webhook: 'alert' }

/** Numbers for the metrics that only the whole history has. */
export async function readingsOf(
  sql: Sql,
  facts: Facts,
): Promise<Omit<RolloutReadings, 'readiness' | 'automaticRollbackArmed' | 'conditions' | 'incidents'>> {
  const name = facts.rollout.name
  const [failed, operations, validations, backfills, checks, conflicts, askedAt] = await Promise.all([
    sql<{ sqlstate: string; open: number; once: number; recovered: number }[]>`
      select sqlstate, count(*) filter (where recovered_at is null)::int as open, count(*)::int as once,
        count(*) filter (where recovered_at is not null)::int as recovered
      from sti.failed_row where rollout = ${name} group by sqlstate`,
    sql<{ kind: OperationKind; state: OperationState; scope: Scope | null; count: number; via: string }[]>`
      select kind, state, parameters->>'scope' as scope, actor->>'via' as via, count(*)::int as count
      from sti.operation where rollout = ${name} group by 1, 2, 3, 4`,
    sql<{ verdict: Verdict; count: number; last: Date }[]>`
      select verdict, count(*)::int as count, max(ended_at) as last from sti.validation where rollout = ${name} and ended_at is not null group by 1`,
    sql<Backfill[]>`
      select state, error, progress, (select e.message = ${PAUSED_BY_ROLLBACK} from sti.operation_event e
          where e.operation_id = o.id and e.kind = 'state' and e.before->>'state' in ('queued', 'running')
            and e.after->>'state' in ('pausing', 'paused') order by e.id desc limit 1) as rolled
      from sti.operation o where rollout = ${name} and kind = 'backfill' and progress is not null
        and parameters->'failedRowsOnly' is null order by id`,
    facts.validation === null ? [] : latestResults(sql, name, facts.validation.id),
    countConflicts(sql, facts.rollout),
    lastAskedAt(sql, name),
  ])
  const retries: Record<string, number> = {}
  for (const { progress } of backfills) {
    for (const [sqlstate, count] of Object.entries(progress?.retries ?? {}))
      retries[sqlstate] = (retries[sqlstate] ?? 0) + count
  }
  const last = backfills.at(-1)
  const counted = new Map<string, { kind: OperationKind; state: OperationState; count: number }>()
  for (const { kind, state, count } of operations) {
    const id = `${kind} ${state}`
    counted.set(id, { kind, state, count: (counted.get(id)?.count ?? 0) + count })
  }
  return {
    rollout: name,
    stage: facts.stage,
    coverage: coverageOf(facts),
    backfill: last?.progress
      ? {
          state: last.state,
          progress: last.progress,
          throttledBy: throttledBy(last.progress.throttled),
          pausedBy: pausedBy(last),
        }
      : null,
    failedRowsBySqlstate: Object.fromEntries(failed.map((row) => [row.sqlstate, row.open])),
    errorBudgetUsed: budgetUsed(facts, last?.progress?.totalRows ?? null),
    retriesBySqlstate: retries,
    recovery: {
      failedOnce: failed.reduce((sum, row) => sum + row.once, 0),
      recovered: failed.reduce((sum, row) => sum + row.recovered, 0),
    },
    conflicts,
    checks,
    integrityScore: facts.counted?.integrityScore ?? null,
    validationEndedAt:
      validations
        .map((row) => row.last.toISOString())
        .sort()
        .at(-1) ?? null,
    validationsByVerdict: Object.fromEntries(validations.map((row) => [row.verdict, row.count])),
    validationDueAt: dueAt(facts, askedAt),
    validationIntervalSeconds: facts.rollout.file.validation.every,
    ...baselineReadings(facts),
    flag: facts.flag,
    rollbackReady: rollbackReadiness(facts),
    backup: facts.backup,
    rehearsedAt: rehearsedAt(facts),
    operations: [...counted.values()],
    rollbacks: operations
      .filter((row) => row.kind === 'rollback' && row.state === 'succeeded' && row.scope !== null)
      .map((row) => ({ scope: row.scope!, cause: CAUSES[row.via] ?? 'person', count: row.count })),
    readAt: Date.now(),
  }
}

function baselineReadings({ baseline, rollout }: Facts): Pick<RolloutReadings, 'baseline' | 'limits'> {
  const signals = baseline?.unusable.length === 0 ? baseline.signals : []
  const means = new Map(signals.flatMap(({ signal, mean }) => (mean === null ? [] : [[signal, mean]])))
  return { baseline: means, limits: new Map([...valueLimits(rollout.file, means), ...throttled(rollout.file)]) }
}

/** What the throttle waits above, of the signals that are judged beside a backfill too. */
function throttled(file: LimitedFile): [string, ValueLimit][] {
  const { replicationLagBytes, oldestSnapshotSeconds } = limitsOf(file)
  const limits = { replication: replicationLagBytes.pause, 'oldest-transaction': oldestSnapshotSeconds.pause }
  return Object.entries(limits).flatMap(([signal, value]): [string, ValueLimit][] =>
    value === null ? [] : [[signal, { value, side: 'at most' }]],
  )
}

/** A budget of no row at all is exceeded by the first one. */
function budgetUsed({ failedRows, rollout }: Facts, rows: number | null): number | null {
  if (rows === null) return null
  const allowed = rollout.file.errorBudget * rows
  return allowed > 0 ? failedRows / allowed : failedRows > 0 ? 1 + failedRows : 0
}

/** The short code before the colon, as far as the series knows it. */
function throttledBy(throttled: string | null): ThrottleReason | null {
  if (throttled === null) return null
  const code = throttled.split(':')[0]!
  if (code.endsWith('-unknown')) return 'unknown-signal'
  return THROTTLE_REASONS.find((reason) => reason === code) ?? 'other'
}

interface Backfill {
  readonly state: OperationState
  readonly error: string | null
  readonly progress: RolloutDetail['operations'][number]['progress']
  /** The last one that asked it to pause was an automatic rollback; null: nobody did. */
  readonly rolled: boolean | null
}

/** What the agent paused after trouble says which; a person’s pause, and that of a rollback, have no error. */
function pausedBy({ state, error, rolled }: Backfill): PausedBy | null {
  if (state !== 'paused') return null
  if (error !== null) return 'agent'
  return rolled === true ? 'rollback' : 'person'
}
