import { expect, test } from 'vitest'
import { createBatchSizeController } from './batchSizeController.ts'

/** Lets it run against a table where a batch costs `commit` seconds and each row `row` seconds. */
function run(
  feedback: ReturnType<typeof createBatchSizeController>,
  commit: number,
  row: number,
  batches = 40,
): number[] {
  return Array.from({ length: batches }, () => {
    const size = feedback.size()
    feedback.observe(size, commit + size * row)
    return size
  })
}

test('it grows to what fits into the time and not above the ceiling', () => {
  expect(run(createBatchSizeController(1000, 20_000, 0.1), 0, 0.00001).at(-1)).toBe(10_000)
  expect(run(createBatchSizeController(1000, 20_000, 0.1), 0, 0.000001).at(-1)).toBe(20_000)
  expect(run(createBatchSizeController(500, 500, 0.1), 0, 0.000001).every((size) => size === 500)).toBe(true)
})

test('it shrinks within few batches when rows are slow', () => {
  expect(run(createBatchSizeController(1000, 20_000, 0.1), 0, 0.01, 5).at(-1)).toBe(10)
})

test('a slow commit does not shrink batches to single rows', () => {
  const sizes = run(createBatchSizeController(1000, 20_000, 0.1), 0.3, 0.00001)
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(100)
})

test('nor does one that takes a little longer than it may', () => {
  const sizes = run(createBatchSizeController(1000, 20_000, 0.1), 0.11, 0.000001)
  expect(Math.min(...sizes.slice(-10))).toBeGreaterThanOrEqual(600)
})

test('when rows become slow after that it shrinks again', () => {
  const feedback = createBatchSizeController(1000, 20_000, 0.1)
  run(feedback, 0.3, 0.00001)
  expect(run(feedback, 0, 0.01, 20).at(-1)).toBeLessThanOrEqual(12)
})

test('a lower ceiling holds from the next batch on', () => {
  const feedback = createBatchSizeController(1000, 20_000, 0.1)
  feedback.tune(50, 0.1)
  expect(run(feedback, 0, 0.000001).every((size) => size === 50)).toBe(true)
})
