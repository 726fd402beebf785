import { perRollout } from './metricFamily.ts'
import type { RolloutReadings } from './metricsSource.ts'

/** The last rate of a backfill that stands or has ended is no rate now. */
const isActive = (backfill: RolloutReadings['backfill']): boolean =>
  backfill !== null && ['running', 'pausing', 'cancelling'].includes(backfill.state)

export const backfillMetrics = [
  perRollout(
    'sti_backfill_progress_ratio',
    'Processed rows / total rows of the last backfill; 1 only when equal.',
    ({ backfill }) => backfill?.progress.ratio,
  ),
  perRollout(
    'sti_backfill_processed_rows',
    'Rows known right: written, or found right.',
    ({ backfill }) => backfill?.progress.processedRows,
  ),
  perRollout('sti_backfill_total_rows', 'Rows of the table.', ({ backfill }) => backfill?.progress.totalRows),
  perRollout('sti_backfill_rows_per_second', 'Rows per second now.', ({ backfill }) =>
    isActive(backfill) ? backfill?.progress.rowsPerSecond : null,
  ),
  perRollout('sti_backfill_remaining_seconds', 'Estimated time until the backfill is complete.', ({ backfill }) =>
    isActive(backfill) ? backfill?.progress.remainingSeconds : null,
  ),
]
