import { expect, test } from 'vitest'
import type { OperationProgress, OperationState } from '../contract/index.ts'
import { withRetriedRows } from './metricsReadings.ts'

const progress = { processedRows: 99_996, totalRows: 100_000, failedRows: 4, ratio: 0.9999 } as OperationProgress

test.each<[OperationState, number, number, number]>([
  ['succeeded', 4, 99_996, 0.9999],
  ['succeeded', 2, 99_998, 0.9999],
  ['succeeded', 0, 100_000, 1],
  // A later write of the application can fail, too.
  ['succeeded', 5, 99_996, 0.9999],
  // A backfill that has not ended counts its failed rows itself.
  ['running', 0, 99_996, 0.9999],
])('%s, %d failed rows left of 4: %d rows are processed', (state, open, processedRows, ratio) => {
  expect(withRetriedRows({ state, progress }, open)).toMatchObject({ processedRows, ratio })
})
