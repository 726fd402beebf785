import type { Sql } from '../database/connect.ts'
import type { Facts } from '../engine/facts.ts'
import type { RolloutReadings } from '../metrics/source.ts'
import { covered } from '../operation/stage.ts'
import type { StateSeen } from './conditions/seen.ts'

/** What the database says that decisions need, to be kept in memory: they wait for no database. */
export interface AlarmState extends StateSeen {
  /** What has been rolled back by itself, as rule and change. */
  readonly rolledBack: ReadonlySet<string>
}

export const pairOf = (rule: string, change: string): string => `${rule} ${change}`

/** Of a rollout's own history the last of these is enough: a change is under way once. */
const REMEMBERED = 200

export async function readAlarmState(
  sql: Sql,
  facts: Facts,
  readings: Pick<RolloutReadings, 'backfill' | 'baseline' | 'limits'>,
): Promise<AlarmState> {
  const { name, file } = facts.rollout
  const rolledBack = await sql<{ rule: string; change: string }[]>`
    select rule, change from sti.automatic_rollback where rollout = ${name} order by at desc limit ${REMEMBERED}`
  const writer = facts.open.find(({ kind, state }) => kind === 'backfill' && ['queued', 'running'].includes(state))
  const { limits, errorBudget } = file
  // As a validation judges it: an application that has always failed now and then is judged by how it was before.
  const errorsBefore = readings.baseline.get('api-error-ratio') ?? 0
  return {
    readAt: Date.now(),
    writer: writer ? { kind: writer.kind, id: writer.id } : null,
    lastBackfill: facts.lastBackfill,
    covered: covered(facts),
    validation: facts.validation,
    failedSince: facts.failedSince,
    lastWriteEndedAt: facts.lastWriteEndedAt,
    failedRows: facts.failedRows,
    totalRows: readings.backfill?.progress.totalRows ?? facts.table?.estimatedRows ?? null,
    errorBudget,
    latencyLimit: readings.limits.get('api-latency-p95')?.value ?? null,
    errorLimit: Math.max(limits.errorRatio, errorsBefore * (1 + limits.apiLatencyIncrease)),
    rolledBack: new Set(rolledBack.map(({ rule, change }) => pairOf(rule, change))),
  }
}
