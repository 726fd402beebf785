import type { Batch } from './batch.ts'
import { blockStart, firstBlockAfter } from './ctid.ts'
import type { KeyRange } from './keyRange.ts'
import type { Key } from './keys.ts'
import type { RangeState } from './lane.ts'
import { computeStripeBounds, largestStripeRows, MAX_ONE_BYTE_LINE_POINTER, type PageLayout } from './stripeBounds.ts'

/** What decides how the next range of a lane is cut and written. */
export interface PlanInput {
  /** Page statistics: of the last range when a range is cut, of the range itself when its stripes are planned. */
  readonly page: PageLayout
  /** Rows that a batch should have. */
  readonly batchRows: number
  /** Rows that a batch may have. */
  readonly maxBatchRows: number
  readonly workers: number
  /** Share of the rows that the first stripe writes: 0 to 1; 1 plans a plain range. */
  readonly firstStripeShare: number
  /** Stripes shrink to this share; without it, to the default one. */
  readonly minStripeShare?: number
}

/** Counts of one range. */
export interface RangeSurvey {
  readonly rows: number
  readonly rowsToWrite: number
  /** Last line pointer of the rows to write. */
  readonly lastLinePointer: number
}

/** A batch of a range, without the relation and the values that only the writer knows. */
export interface PlannedBatch {
  readonly range: KeyRange
  readonly checkpoint: Pick<
    Batch,
    'maxLinePointer' | 'twoByteLinePointers' | 'nextPosition' | 'rangeState' | 'passedRows' | 'unmappedRecording'
  >
  readonly isFirstStripe: boolean
  /** The range is complete with this batch. */
  readonly isLast: boolean
}

/** A range is read once per stripe and should stay in the caches until the last one. */
const MAX_RANGE_BLOCKS = 4_096
/** Below this, the commit of a batch costs more than HOT updates save. */
const MIN_STRIPED_BATCH_ROWS = 250

/**
 * Cuts the next range of a lane: a run of pages after `low`, sized so that its stripes are about `batchRows` rows. Ranges
 * up to the end of the lane are equally long, so that no small one is left. Null at the end of the lane.
 */
export function planRange(low: Key, end: Key, input: PlanInput): KeyRange | null {
  const { page, batchRows, workers, firstStripeShare } = input
  const [first, endBlock] = [firstBlockAfter(low), firstBlockAfter(end)]
  if (first >= endBlock) return null
  const parts = firstStripeShare < 1 ? partsPerStripe(workers) : 1
  const targetBlocks = Math.floor((batchRows * parts) / largestStripeRows(page, firstStripeShare))
  const ranges = Math.ceil((endBlock - first) / Math.min(MAX_RANGE_BLOCKS, Math.max(1, targetBlocks)))
  const blocks = Math.ceil((endBlock - first) / ranges)
  return { low, high: blockStart(first + blocks), rows: estimatedRows(page.rows * blocks) }
}

/** The uncommitted rest of a range that this or another agent has begun. */
export function resumeRange(low: Key | null, { high, rows }: RangeState): KeyRange {
  return { low, high, rows: estimatedRows(rows) }
}

/** One row would be taken for a counted range, whose row is to blame if it fails (rangeWalk.ts). */
function estimatedRows(rows: number): number {
  return Math.max(2, Math.round(rows))
}

/** Page statistics of a surveyed range. */
export function pageLayoutOf(range: KeyRange, survey: RangeSurvey): PageLayout {
  return { rows: survey.rowsToWrite / blockCount(range), lastLinePointer: survey.lastLinePointer }
}

/** True if the range has enough rows to write for more than one stripe. */
export function isWorthStriping(survey: RangeSurvey, { batchRows, firstStripeShare }: PlanInput): boolean {
  return firstStripeShare < 1 && survey.rowsToWrite > 2 * Math.min(batchRows, MIN_STRIPED_BATCH_ROWS)
}

/** Plans the batches of a range: its stripes, and the parts of each stripe. */
export function planStripes(range: KeyRange, survey: RangeSurvey, input: PlanInput, filenode: number): RangeState {
  const { page, maxBatchRows, workers, firstStripeShare, minStripeShare } = input
  const isStriped = isWorthStriping(survey, input)
  const blocks = blockCount(range)
  const parts = isStriped ? Math.min(blocks, partsPerStripe(workers)) : 1
  const maxLinePointers = Math.max(1, Math.floor(maxBatchRows / Math.ceil(blocks / parts)))
  return {
    high: range.high,
    stripes: computeStripeBounds(page, maxLinePointers, isStriped ? firstStripeShare : 1, minStripeShare),
    parts,
    done: 0,
    rows: survey.rows,
    written: 0,
    most: maxBatchRows,
    filenode,
  }
}

/** The next batch of a range. `position` is the lane's position, which moves with the last batch of the range only. */
export function planBatch(range: KeyRange, state: RangeState, position: Key | null): PlannedBatch {
  const { stripes, parts, done, rows } = state
  const stripe = Math.floor(done / parts)
  const isLastStripe = stripe === stripes.length - 1
  const isLast = isLastStripe && done === stripes.length * parts - 1
  return {
    range: partOfRange(range, done % parts, parts),
    checkpoint: {
      maxLinePointer: stripes.length > 1 ? stripes[stripe]! : undefined,
      twoByteLinePointers: stripes.at(-1)! > MAX_ONE_BYTE_LINE_POINTER,
      nextPosition: isLast ? range.high : position,
      rangeState: isLast ? null : { ...state, done: done + 1 },
      passedRows: isLast ? rows : 0,
      // The last stripe sees every row of the part that is left.
      unmappedRecording: isLastStripe ? 'counted' : 'no',
    },
    isFirstStripe: stripe === 0,
    isLast,
  }
}

/**
 * A batch of another worker may have started before the last stripe of a page was committed; until it ends, the dead rows
 * of that stripe cannot be pruned. So a page rests for as many batches as other workers may have open.
 */
function partsPerStripe(workers: number): number {
  return workers === 1 ? 1 : Math.min(4, workers + 1)
}

/** Part `index` of a range that is split into `parts` runs of pages. */
export function partOfRange(range: KeyRange, index: number, parts: number): KeyRange {
  const first = firstBlockAfter(range.low!)
  const bound = (n: number): Key => blockStart(first + Math.floor((blockCount(range) * n) / parts))
  return {
    ...range,
    low: index === 0 ? range.low : bound(index),
    high: index === parts - 1 ? range.high : bound(index + 1),
  }
}

export function blockCount(range: KeyRange): number {
  return firstBlockAfter(range.high) - firstBlockAfter(range.low!)
}
