import type { HistogramFamily } from './metricFamily.ts'

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
