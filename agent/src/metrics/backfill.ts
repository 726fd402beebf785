import { perRollout } from './family.ts'

export const progress = [
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
  perRollout(
    'sti_backfill_rows_per_second',
    'Rows per second now.',
    ({ backfill }) => backfill?.progress.rowsPerSecond,
  ),
  perRollout(
    'sti_backfill_remaining_seconds',
    'Estimated time until the backfill is complete.',
    ({ backfill }) => backfill?.progress.remainingSeconds,
  ),
]
