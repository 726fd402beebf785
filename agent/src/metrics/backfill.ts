import { perRollout } from './metricFamily.ts'
import type { RolloutReadings } from './metricsSource.ts'

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
    'Rows that the last backfill has written or found correct.',
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
