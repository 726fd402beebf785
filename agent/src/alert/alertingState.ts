import type { Sql } from '../database/connect.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { RolloutReadings } from '../metrics/metricsSource.ts'
import { isCovered } from '../operation/rolloutStage.ts'
import type { DatabaseState } from './conditions/conditionInput.ts'

/** The database state that decisions need, kept in memory so that no decision waits for the database. */
export interface AlertingState extends DatabaseState {
  /** Keys of rule and change that have been rolled back automatically. */
  readonly rolledBack: ReadonlySet<string>
}

export const rollbackKey = (rule: string, change: string): string => `${rule} ${change}`

/** Enough, since each change is active only once. */
const MAX_REMEMBERED_ROLLBACKS = 200

export async function readAlertingState(
  sql: Sql,
  facts: RolloutFacts,
  readings: Pick<RolloutReadings, 'backfill' | 'baseline' | 'limits'>,
): Promise<AlertingState> {
  const { name, file } = facts.rollout
  const rollbacks = await sql<{ rule: string; change: string }[]>`
    select rule, change from sti.automatic_rollback where rollout = ${name} order by at desc limit ${MAX_REMEMBERED_ROLLBACKS}`
  const writer = facts.openOperations.find(
    ({ kind, state }) => kind === 'backfill' && ['queued', 'running'].includes(state),
  )
  const { limits, errorBudget } = file
  // Same limit as a validation: an application with a known error ratio is compared with its baseline.
  const baselineErrorRatio = readings.baseline.get('api-error-ratio') ?? 0
  return {
    readAt: Date.now(),
    readSince: facts.readSince,
    writer: writer ? { kind: writer.kind, id: writer.id } : null,
    lastBackfill: facts.lastBackfillId,
    covered: isCovered(facts),
    validation: facts.validation,
    failedSince: facts.checksFailedSince.map(({ check }) => check),
    lastWriteEndedAt: facts.lastWriteEndedAt,
    failedRows: facts.failedRows,
    totalRows: readings.backfill?.progress.totalRows ?? facts.table?.estimatedRows ?? null,
    errorBudget,
    latencyLimit: readings.limits.get('api-latency-p95')?.value ?? null,
    errorLimit: Math.max(limits.errorRatio, baselineErrorRatio * (1 + limits.apiLatencyIncrease)),
    rolledBack: new Set(rollbacks.map(({ rule, change }) => rollbackKey(rule, change))),
  }
}
