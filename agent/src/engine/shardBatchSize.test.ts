import { expect, test } from 'vitest'
import { createShardBatchSize } from './shardBatchSize.ts'

/** Sizes on a cluster where a batch costs `fixed` seconds plus `row` seconds per row, whose batches have `filled` of their size. */
function run(fixed: number, row: number, { batches = 60, filled = [1], ceiling = 40_000 } = {}): number[] {
  const controller = createShardBatchSize(Math.min(1000, ceiling), ceiling, 0.1)
  return Array.from({ length: batches }, (_, batch) => {
    const size = controller.size()
    const rows = size * filled[batch % filled.length]!
    controller.observe(rows, fixed + rows * row)
    return size
  })
}

test.each([
  // 0.7 of the time, without what a batch costs whatever its rows.
  ['full batches', 0.02, 0.00001, [1], 5_000],
  ['stripes that are smaller than planned', 0.02, 0.00001, [1, 0.3, 0.6], 5_000],
  ['commits that take nearly all of the time', 0.06, 0.00001, [1, 0.5], 3_500],
  ['commits that take longer than a batch may', 0.3, 0.00001, [1, 0.5], 3_500],
  ['rows that take no time', 0.02, 0.0000001, [1, 0.5], 40_000],
  ['slow rows', 0.02, 0.01, [1, 0.5], 5],
])('the size is what fits into the time: %s', (_, fixed, row, filled, expected) => {
  const last = run(fixed, row, { filled }).at(-1)!
  expect(last / expected).toBeGreaterThan(0.9)
  expect(last / expected).toBeLessThan(1.1)
})

test('a limit applies from the first batch, and a lower one from the next', () => {
  expect(run(0.01, 0.000001, { ceiling: 500 }).every((size) => size === 500)).toBe(true)
  const controller = createShardBatchSize(1000, 40_000, 0.1)
  controller.tune(50, 0.1)
  expect(controller.size()).toBe(50)
})

test('the size is growing until the time or the limit ends it', () => {
  const endOfGrowth = (ceiling: number, row: number): number => {
    const controller = createShardBatchSize(Math.min(1000, ceiling), ceiling, 0.1)
    expect(controller.isGrowing()).toBe(true)
    for (let batch = 1; ; batch++) {
      controller.observe(controller.size(), 0.02 + controller.size() * row)
      if (!controller.isGrowing()) return batch
    }
  }
  expect(endOfGrowth(40_000, 0.000005)).toBeGreaterThan(2)
  expect(endOfGrowth(40_000, 0.001)).toBe(1)
  expect(endOfGrowth(500, 0.000001)).toBe(1)
})
