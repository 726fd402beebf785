import { perRollout, type HistogramFamily, type MetricFamily } from './metricFamily.ts'
import { type RolloutReadings, PAUSED_BY } from './metricsSource.ts'
import { THROTTLE_REASONS } from '../contract/limits.ts'

/** A backfill that is paused or has ended has no current rate. */
const isActive = (backfill: RolloutReadings['backfill']): boolean =>
  backfill !== null && ['running', 'pausing', 'cancelling'].includes(backfill.state)

export const backfillMetrics = [
  perRollout(
    'sti_backfill_progress_ratio',
    'Processed rows / total rows of the last backfill; 1 only if they are equal.',
    ({ backfill }) => backfill?.progress.ratio,
  ),
  perRollout(
    'sti_backfill_processed_rows',
    'Rows that the last backfill, or a retry of its failed rows, has written or found correct.',
    ({ backfill }) => backfill?.progress.processedRows,
  ),
  perRollout(
    'sti_backfill_total_rows',
    'Rows of the table, as the last backfill counts them.',
    ({ backfill }) => backfill?.progress.totalRows,
  ),
  perRollout('sti_backfill_rows_per_second', 'Rows per second of the running backfill.', ({ backfill }) =>
    isActive(backfill) ? backfill?.progress.rowsPerSecond : null,
  ),
  perRollout(
    'sti_backfill_remaining_seconds',
    'Estimated time until the running backfill is complete.',
    ({ backfill }) => (isActive(backfill) ? backfill?.progress.remainingSeconds : null),
  ),
]

export const batchSeconds: HistogramFamily = {
  name: 'sti_backfill_batch_seconds',
  type: 'histogram',
  help: 'Duration of a batch, which is how long it held its row locks.',
  labels: ['rollout'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2, 5],
}

export const batchRows: HistogramFamily = {
  name: 'sti_backfill_batch_rows',
  type: 'histogram',
  help: 'Rows per batch.',
  labels: ['rollout'],
  buckets: [1, 10, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000],
}

export const backfillPaused: MetricFamily = {
  name: 'sti_backfill_paused',
  type: 'gauge',
  help: '1 if the last backfill is paused, by who paused it: a person, the agent after an error, or an automatic rollback.',
  labels: ['rollout', 'by'],
  *samples({ rollouts }) {
    for (const { rollout, backfill } of rollouts) {
      if (!backfill) continue
      for (const by of PAUSED_BY) yield { labels: { rollout, by }, value: backfill.pausedBy === by ? 1 : 0 }
    }
  },
}

export const backfillHeldRows: MetricFamily = {
  name: 'sti_backfill_held_rows',
  type: 'gauge',
  help: 'Rows that the running backfill has not written because another transaction has locked them; the label holder names that transaction. Absent: none.',
  labels: ['rollout', 'holder'],
  *samples({ rollouts }) {
    for (const { rollout, backfill } of rollouts) {
      const held = backfill?.state === 'running' ? backfill.progress.held : null
      if (held) yield { labels: { rollout, holder: held.holderNames.join(', ') }, value: held.rows }
    }
  },
}

export const backfillThrottled: MetricFamily = {
  name: 'sti_backfill_throttled',
  type: 'gauge',
  help: `1 for the reason why the last backfill waits now, 0 for every other reason: ${THROTTLE_REASONS.join(', ')}.`,
  labels: ['rollout', 'reason'],
  *samples({ rollouts }) {
    for (const { rollout, backfill } of rollouts) {
      if (!backfill) continue
      const current = throttleReason(backfill)
      for (const reason of THROTTLE_REASONS) yield { labels: { rollout, reason }, value: reason === current ? 1 : 0 }
    }
  },
}

function throttleReason(backfill: NonNullable<RolloutReadings['backfill']>): string | null {
  if (backfill.progress.throttled === null) return null
  const { throttledBy } = backfill
  return throttledBy && THROTTLE_REASONS.includes(throttledBy) ? throttledBy : 'other'
}
