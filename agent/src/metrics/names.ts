import * as alert from './alert.ts'
import { alertsDropped } from './alertsDropped.ts'
import { apiMetrics } from './api.ts'
import {
  backfillMetrics,
  backfillHeldRows,
  batchRows,
  batchSeconds,
  backfillPaused,
  backfillThrottled,
} from './backfill.ts'
import { buildInfo } from './buildInfo.ts'
import { conflictTotals } from './conflicts.ts'
import * as database from './database.ts'
import { errorBudgetUsage, failedRows, recoveryRatio, retryTotals } from './failedRows.ts'
import type { MetricFamily, HistogramFamily } from './metricFamily.ts'
import { flagClients, flagMetrics, flagPropagation } from './flag.ts'
import { flagPendingOff } from './flagPendingOff.ts'
import { hostMetrics } from './host.ts'
import * as incident from './incident.ts'
import { operationDurations, operationStates } from './operation.ts'
import { contactConfirmed, contactExpires, readinessRatio } from './readiness.ts'
import {
  automaticRollbackArmed,
  backupAge,
  backupAvailable,
  backupExpected,
  rollbackEstimate,
  rollbackLastVerified,
  rollbackReadiness,
  rehearsalSuccess,
  rollbackTotals,
} from './rollback.ts'
import { rolloutCoverage, rolloutFileVersions, rolloutStage } from './rollout.ts'
import * as signal from './signal.ts'
import {
  validationCompleted,
  validationDue,
  validationInterval,
  validationTotals,
  checkDiscrepancies,
  integrityScoreRatio,
  checkVerdicts,
} from './validation.ts'
import { variantMetrics } from './variant.ts'

/** Every metric that is read at a scrape. */
export const SCRAPED_FAMILIES: readonly MetricFamily[] = [
  ...[
    buildInfo,
    rolloutStage,
    rolloutFileVersions,
    rolloutCoverage,
    ...backfillMetrics,
    backfillHeldRows,
    backfillThrottled,
    backfillPaused,
  ],
  ...apiMetrics,
  ...variantMetrics,
  ...[database.up, database.connections, ...database.databaseGauges, database.replication],
  ...hostMetrics,
  ...[failedRows, retryTotals, recoveryRatio, errorBudgetUsage, conflictTotals],
  ...[
    checkVerdicts,
    checkDiscrepancies,
    integrityScoreRatio,
    validationTotals,
    validationCompleted,
    validationDue,
    validationInterval,
  ],
  ...[...flagMetrics, flagPendingOff, flagClients],
  ...[
    rollbackReadiness,
    rollbackEstimate,
    rollbackLastVerified,
    rollbackTotals,
    backupAvailable,
    backupExpected,
    backupAge,
    rehearsalSuccess,
    automaticRollbackArmed,
    operationStates,
  ],
  ...[alert.condition, alertsDropped, alert.watchdogSeen, incident.openSeconds],
  ...[readinessRatio, contactConfirmed, contactExpires],
  ...[signal.up, signal.baseline, signal.baselineRatio, signal.limit, signal.limitRatio],
]

/** Every metric that observes events. */
export const HISTOGRAM_FAMILIES: readonly HistogramFamily[] = [
  batchSeconds,
  batchRows,
  operationDurations,
  flagPropagation,
  incident.acknowledgementSeconds,
]

export interface MetricDescription {
  readonly name: string
  readonly type: 'gauge' | 'counter' | 'histogram'
  readonly help: string
  /** Every metric also has `environment`. */
  readonly labels: readonly string[]
}

/** Every metric of the agent, except those of prom-client about the process. */
export const METRICS: readonly MetricDescription[] = [...SCRAPED_FAMILIES, ...HISTOGRAM_FAMILIES].map(
  ({ name, type, help, labels }) => ({
    name,
    type,
    help,
    labels,
  }),
)

/** Every series name that a query can use: a histogram has three. */
export const SERIES_NAMES: readonly string[] = METRICS.flatMap(({ name, type }) =>
  type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
)
