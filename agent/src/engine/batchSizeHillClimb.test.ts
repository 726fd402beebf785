import { expect, test } from 'vitest'
import { createBatchSizeHillClimb, type BatchSizeHillClimb } from './batchSizeHillClimb.ts'

/** Runs the climb where a batch costs `commit` seconds plus `row(size)` seconds per row. */
function run(climb: BatchSizeHillClimb, commit: number, row: (size: number) => number, ranges = 60): number[] {
  return Array.from({ length: ranges }, () => {
    const size = climb.size()
    climb.observe(size, size * 10, 10 * (commit + size * row(size)))
    return size
  })
}

test('the size grows while throughput grows', () => {
  const sizes = run(createBatchSizeHillClimb(1000), 0.002, () => 0.000_01)
  expect(sizes.at(-1)).toBe(4000)
})

test('the size stays small if larger batches are no faster: locks are held for less time', () => {
  const sizes = run(createBatchSizeHillClimb(1000), 0, () => 0.000_01)
  expect(sizes.at(-1)).toBe(1000)
  expect(Math.max(...sizes)).toBe(2000)
})

test('the size shrinks if larger batches are slower', () => {
  const sizes = run(createBatchSizeHillClimb(1000), 0.01, (size) => (size > 5000 ? 0.000_03 : 0.000_01))
  expect(sizes.at(-1)).toBe(4000)
  expect(Math.max(...sizes)).toBe(8000)
})

test('a larger size is measured again later, so the size follows the table', () => {
  const climb = createBatchSizeHillClimb(1000)
  run(climb, 0, () => 0.000_01)
  expect(run(climb, 0.01, () => 0.000_01, 400).at(-1)).toBeGreaterThan(4000)
})

test('a range of another size is ignored', () => {
  const climb = createBatchSizeHillClimb(1000)
  for (let range = 0; range < 50; range++) climb.observe(300, 3000, 0.1)
  expect(climb.size()).toBe(1000)
})
