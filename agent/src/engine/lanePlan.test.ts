import { expect, test } from 'vitest'
import { blockStart } from './ctid.ts'
import { partOfRange, planBatch, planRange, planStripes, resumeRange, type PlanInput } from './lanePlan.ts'
import type { RangeState } from './lane.ts'
import { FIRST_STRIPE_SHARE } from './stripeBounds.ts'

const FULL_PAGES = { rows: 50, lastLinePointer: 50 }
const PLAIN: PlanInput = { page: FULL_PAGES, batchRows: 1_000, maxBatchRows: 2_000, workers: 1, firstStripeShare: 1 }
const STRIPED: PlanInput = { ...PLAIN, firstStripeShare: FIRST_STRIPE_SHARE }
const FILENODE = 1

const blocks = (first: number, end: number, rows: number) => ({ low: blockStart(first), high: blockStart(end), rows })

/** Plans every batch of a range, as a lane does that commits all of them. */
function planAllBatches(range: ReturnType<typeof blocks>, planned: RangeState) {
  const batches = []
  let state: RangeState | null = planned
  while (state !== null) {
    const batch = planBatch(range, state, range.low)
    batches.push(batch)
    state = batch.checkpoint.rangeState ?? null
  }
  return batches
}

test('a plain range has the pages of one batch', () => {
  expect(planRange(blockStart(0), blockStart(2_000), PLAIN)).toEqual(blocks(0, 20, 1_000))
})

test('a striped range has the pages of one batch per stripe', () => {
  // 1,000 rows / (50 rows per page x 0.0864) = 231 pages; nine equal ranges up to the end of the lane.
  expect(planRange(blockStart(0), blockStart(2_000), STRIPED)).toEqual(blocks(0, 223, 11_150))
})

test('with several workers, a range has pages for the parts of each stripe', () => {
  const range = planRange(blockStart(0), blockStart(2_000), { ...STRIPED, workers: 2 })
  expect(range).toEqual(blocks(0, 667, 33_350))
})

test('ranges up to the end of a lane are equally long, and the last one ends with it', () => {
  const bounds = []
  let low = blockStart(0)
  for (;;) {
    const range = planRange(low, blockStart(50), PLAIN)
    if (range === null) break
    bounds.push(range.high)
    low = range.high
  }
  expect(bounds).toEqual([blockStart(17), blockStart(34), blockStart(50)])
})

test('a page that has been passed in part is part of the next range', () => {
  expect(planRange(['(3,17)'], blockStart(10), PLAIN)).toEqual({ low: ['(3,17)'], high: blockStart(10), rows: 350 })
})

test('a range has at least one page, at most 4,096, and never an estimate of one row', () => {
  expect(planRange(blockStart(0), blockStart(9), { ...PLAIN, batchRows: 1 })).toEqual(blocks(0, 1, 50))
  const sparse = { ...PLAIN, page: { rows: 0, lastLinePointer: 1 } }
  expect(planRange(blockStart(0), blockStart(8_192), sparse)).toEqual(blocks(0, 911, 2))
  const huge = planRange(blockStart(0), blockStart(8_192), { ...PLAIN, batchRows: 1_000_000 })
  expect(huge).toEqual(blocks(0, 4_096, 204_800))
})

test('a plain range is one batch that moves the lane, passes its rows, and records unmapped rows', () => {
  const range = blocks(0, 20, 1_000)
  const survey = { rows: 1_000, rowsToWrite: 900, lastLinePointer: 50 }
  expect(planAllBatches(range, planStripes(range, survey, PLAIN, FILENODE))).toEqual([
    {
      range,
      isFirstStripe: true,
      isLast: true,
      checkpoint: {
        maxLinePointer: undefined,
        twoByteLinePointers: false,
        nextPosition: blockStart(20),
        rangeState: null,
        passedRows: 1_000,
        unmappedRecording: 'counted',
      },
    },
  ])
})

test('a striped range moves its lane with the last batch only', () => {
  const range = blocks(0, 200, 10_000)
  const survey = { rows: 10_000, rowsToWrite: 10_000, lastLinePointer: 50 }
  const batches = planAllBatches(range, planStripes(range, survey, STRIPED, FILENODE))
  expect(batches.length).toBeGreaterThan(10)
  const checkpoints = batches.map(({ checkpoint }) => checkpoint)
  expect(checkpoints.slice(0, -1).every(({ nextPosition }) => nextPosition === range.low)).toBe(true)
  expect(checkpoints.slice(0, -1).every(({ passedRows }) => passedRows === 0)).toBe(true)
  expect(checkpoints.at(-1)).toMatchObject({ nextPosition: range.high, passedRows: 10_000, rangeState: null })
  expect(checkpoints.slice(0, -1).map(({ rangeState }) => rangeState?.done)).toEqual(
    Array.from({ length: batches.length - 1 }, (_, index) => index + 1),
  )
  const bounds = checkpoints.map(({ maxLinePointer }) => maxLinePointer!)
  expect(bounds).toEqual(bounds.toSorted((a, b) => a - b))
})

test('each stripe is written part by part, and unmapped rows are recorded with the last stripe', () => {
  const range = blocks(0, 300, 15_000)
  const survey = { rows: 15_000, rowsToWrite: 15_000, lastLinePointer: 50 }
  const state = planStripes(range, survey, { ...STRIPED, workers: 2 }, FILENODE)
  expect(state.parts).toBe(3)
  const batches = planAllBatches(range, state)
  expect(batches.length).toBe(3 * state.stripes.length)
  expect(batches.slice(0, 3).map((batch) => batch.range.high)).toEqual([100, 200, 300].map(blockStart))
  expect(batches.map((batch) => batch.isFirstStripe).lastIndexOf(true)).toBe(2)
  const recorded = batches.map(({ checkpoint }) => checkpoint.unmappedRecording)
  expect(recorded).toEqual([...Array<string>(batches.length - 3).fill('no'), 'counted', 'counted', 'counted'])
})

test('a handful of rows is not striped', () => {
  const range = blocks(0, 200, 10_000)
  const survey = { rows: 10_000, rowsToWrite: 500, lastLinePointer: 50 }
  const planned = planStripes(range, survey, { ...STRIPED, workers: 2 }, FILENODE)
  expect(planned).toEqual(planStripes(range, survey, PLAIN, FILENODE))
})

test('a page with more rows than a batch may have is written in several stripes, also in a plain range', () => {
  const range = blocks(0, 1, 50)
  const survey = { rows: 50, rowsToWrite: 50, lastLinePointer: 50 }
  const state = planStripes(range, survey, { ...PLAIN, maxBatchRows: 20 }, FILENODE)
  expect(state).toMatchObject({ parts: 1, stripes: [20, 40, 255], most: 20 })
})

test('a range that was begun continues with its next batch', () => {
  const range = blocks(0, 200, 10_000)
  const survey = { rows: 10_000, rowsToWrite: 10_000, lastLinePointer: 50 }
  const state = { ...planStripes(range, survey, STRIPED, FILENODE), done: 4, written: 1_700 }
  expect(resumeRange(blockStart(0), state)).toEqual(range)
  expect(planBatch(range, state, blockStart(0)).checkpoint).toMatchObject({
    maxLinePointer: state.stripes[4],
    rangeState: { done: 5, written: 1_700 },
  })
})

test('the parts of a range cover each of its pages once', () => {
  const range = { low: ['(3,17)'], high: blockStart(14), rows: 500 }
  const parts = [0, 1, 2].map((index) => partOfRange(range, index, 3))
  expect(parts.map(({ low, high }) => [low, high])).toEqual([
    [['(3,17)'], blockStart(6)],
    [blockStart(6), blockStart(10)],
    [blockStart(10), blockStart(14)],
  ])
})
