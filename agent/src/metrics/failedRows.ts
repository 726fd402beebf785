import { ratio } from '../signals/ratio.ts'
import { perRollout, type MetricFamily, type MetricSample } from './metricFamily.ts'
import type { RolloutReadings } from './metricsSource.ts'

export const failedRows: MetricFamily = {
  name: 'sti_failed_rows',
  type: 'gauge',
  help: 'Rows that could not be written and are still incorrect, by SQLSTATE; a single 0 without the label if there are none.',
  labels: ['rollout', 'sqlstate'],
  samples: ({ rollouts }) => samplesBySqlstate(rollouts, ({ failedRowsBySqlstate }) => failedRowsBySqlstate),
}

export const retryTotals: MetricFamily = {
  name: 'sti_retries_total',
  type: 'counter',
  help: 'Retries of batches and rows, by SQLSTATE; a single 0 without the label if there are none.',
  labels: ['rollout', 'sqlstate'],
  samples: ({ rollouts }) => samplesBySqlstate(rollouts, ({ retriesBySqlstate }) => retriesBySqlstate),
}

export const recoveryRatio = perRollout(
  'sti_recovery_ratio',
  'Rows that have failed and are now correct / rows that have failed.',
  ({ recovery: { failedOnce, recovered } }) => (failedOnce > 0 ? ratio(recovered, failedOnce) : null),
)

export const errorBudgetUsage = perRollout(
  'sti_error_budget_used_ratio',
  'Failed rows that nobody has accepted / failed rows that the error budget allows; above 1, the budget is exceeded.',
  ({ errorBudgetUsed }) => errorBudgetUsed,
)

function* samplesBySqlstate(
  rollouts: readonly RolloutReadings[],
  counts: (readings: RolloutReadings) => Readonly<Record<string, number>>,
): Iterable<MetricSample> {
  for (const readings of rollouts) {
    const { rollout } = readings
    const countEntries = Object.entries(counts(readings))
    if (countEntries.length === 0) yield { labels: { rollout }, value: 0 }
    for (const [sqlstate, value] of countEntries) yield { labels: { rollout, sqlstate }, value }
  }
}
