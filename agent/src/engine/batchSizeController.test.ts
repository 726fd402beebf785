import { expect, test } from 'vitest'
import { createBatchSizeController } from './batchSizeController.ts'

/** Runs the controller on a table where a batch costs `commit` seconds plus `row` seconds per row. */
function run(
  controller: ReturnType<typeof createBatchSizeController>,
  commit: number,
  row: number,
  batches = 40,
): number[] {
  return Array.from({ length: batches }, () => {
    const size = controller.size()
    controller.observe(size, commit + size * row)
    return size
  })
}

test('the size grows to what fits into the time, and not above its limit', () => {
  expect(run(createBatchSizeController(1000, 20_000, 0.1), 0, 0.00001).at(-1)).toBe(10_000)
  expect(run(createBatchSizeController(1000, 20_000, 0.1), 0, 0.000001).at(-1)).toBe(20_000)
  expect(run(createBatchSizeController(500, 500, 0.1), 0, 0.000001).every((size) => size === 500)).toBe(true)
})

test('the size shrinks within a few batches if rows are slow', () => {
  expect(run(createBatchSizeController(1000, 20_000, 0.1), 0, 0.01, 5).at(-1)).toBe(10)
})

test('a slow commit does not shrink batches to single rows', () => {
  const sizes = run(createBatchSizeController(1000, 20_000, 0.1), 0.3, 0.00001)
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(100)
})

test('a commit that is a little slower than the target does not shrink batches to single rows', () => {
  const sizes = run(createBatchSizeController(1000, 20_000, 0.1), 0.11, 0.000001)
  expect(Math.min(...sizes.slice(-10))).toBeGreaterThanOrEqual(600)
})

test('the size shrinks if rows become slow after a slow commit', () => {
  const controller = createBatchSizeController(1000, 20_000, 0.1)
  run(controller, 0.3, 0.00001)
  expect(run(controller, 0, 0.01, 20).at(-1)).toBeLessThanOrEqual(12)
})

test('a lower limit applies from the next batch', () => {
  const controller = createBatchSizeController(1000, 20_000, 0.1)
  controller.tune(50, 0.1)
  expect(run(controller, 0, 0.000001).every((size) => size === 50)).toBe(true)
})
