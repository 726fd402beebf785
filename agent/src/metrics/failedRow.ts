import { ratio } from '../signals/ratio.ts'
import { perRollout, type Family, type Sample } from './family.ts'
import type { RolloutReadings } from './source.ts'

export const failedRows: Family = {
  name: 'sti_failed_rows',
  type: 'gauge',
  help: 'Rows that could not be written and are not right now, by SQLSTATE; one 0 without the label when there are none.',
  labels: ['rollout', 'sqlstate'],
  samples: ({ rollouts }) => bySqlstate(rollouts, ({ failedRowsBySqlstate }) => failedRowsBySqlstate),
}

export const retries: Family = {
  name: 'sti_retries_total',
  type: 'counter',
  help: 'Batches and rows tried again, by SQLSTATE; one 0 without the label when there are none.',
  labels: ['rollout', 'sqlstate'],
  samples: ({ rollouts }) => bySqlstate(rollouts, ({ retriesBySqlstate }) => retriesBySqlstate),
}

export const recovery = perRollout(
  'sti_recovery_ratio',
  'Rows that failed once and are right now / rows that failed once.',
  ({ recovery: { failedOnce, recovered } }) => (failedOnce > 0 ? ratio(recovered, failedOnce) : null),
)

export const budget = perRollout(
  'sti_error_budget_used_ratio',
  'Failed rows that nobody accepted / those that the error budget allows; above 1 it is exceeded.',
  ({ errorBudgetUsed }) => errorBudgetUsed,
)

function* bySqlstate(
  rollouts: readonly RolloutReadings[],
  counts: (readings: RolloutReadings) => Readonly<Record<string, number>>,
): Iterable<Sample> {
  for (const readings of rollouts) {
    const { rollout } = readings
    const found = Object.entries(counts(readings))
    if (found.length === 0) yield { labels: { rollout }, value: 0 }
    for (const [sqlstate, value] of found) yield { labels: { rollout, sqlstate }, value }
  }
}
