import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'
import {
  batchParameters,
  batchStatement,
  BATCH_ROWS_FIRST_PARAMETER,
  writeBatch,
  type Batch,
  type BatchResult,
} from './batch.ts'
import { CTID_KEY, firstBlockAfter, blockStart, LINE_POINTER } from './ctid.ts'
import { errorCode } from '../database/errors.ts'
import { failedRowCondition, recordFailedRow } from './failedRow.ts'
import type { Key } from './keys.ts'
import type { Lane } from './lane.ts'
import type { LeafPartition } from './leafPartitions.ts'
import { rejectFullScan } from './queryPlanGuard.ts'
import { rangeCondition, type KeyRange, type KeyedTable } from './keyRange.ts'
import type { BulkUpdateJob, SharedWorkerState } from './bulkUpdateJob.ts'
import { MAX_ONE_BYTE_LINE_POINTER, largestStripeRows, computeStripeBounds, type PageLayout } from './stripeBounds.ts'
import { walkRanges } from './rangeWalk.ts'

/** Pages of a range at most: it is read once for each stripe, and should still be in the caches then. */
const MAX_RANGE_BLOCKS = 4_096

/** Rows of a batch that are worth a commit. */
const MIN_STRIPED_BATCH_ROWS = 250

interface TimedBatchResult extends BatchResult {
  readonly seconds: number
}

/** Walks a lane to its end. False when it was asked to stop. */
export async function walkLane(
  job: BulkUpdateJob,
  { sizeController, hillClimb, stripePolicy, checkedPartitions }: SharedWorkerState,
  leaf: LeafPartition,
  claimed: Lane,
  sql: Sql,
  mayContinue: () => Promise<boolean>,
): Promise<boolean> {
  const { run, columnUpdate } = job
  const target: KeyedTable = { table: leaf, key: CTID_KEY }
  let lane = claimed
  let batches = 0
  /** A page as the last range had them; of one that was never looked at all rows may have to be written. */
  let page: PageLayout = { rows: leaf.rowsPerBlock, lastLinePointer: leaf.rowsPerBlock }
  const size = (): number => Math.min(sizeController.size(), hillClimb?.size() ?? Infinity)
  const counters = createHotCounters()

  /** A range is left to be cut anew: its rows will be passed again. */
  const discardRange = (): void => {
    if (lane.striped === null) return
    job.onProgress({ passedRows: -lane.striped.written, writtenRows: 0, failedRows: 0 })
    lane = { ...lane, striped: null }
  }
  // Its stripes fit the pages as they were: VACUUM FULL has moved every row.
  if (lane.striped?.filenode !== leaf.filenode) discardRange()
  const reportBatch = (step: TimedBatchResult, passedRows: number): void =>
    job.onProgress({
      passedRows,
      writtenRows: step.written,
      failedRows: step.unmapped,
      batch: { rows: step.written, seconds: step.seconds },
    })

  /** Looked at once for a partition, with the first range of which there is more than one. */
  const checkPlanOnce = async (range: KeyRange): Promise<void> => {
    if (checkedPartitions.has(leaf.oid)) return
    checkedPartitions.add(leaf.oid)
    const tableShare = (firstBlockAfter(range.high) - firstBlockAfter(range.low!)) / Math.max(1, leaf.blocks)
    const batch: Batch = {
      relation: leaf,
      rows: rangeCondition(target, range, BATCH_ROWS_FIRST_PARAMETER),
      maxLinePointer: MAX_ONE_BYTE_LINE_POINTER,
      unmappedRecording: 'no',
      nextPosition: lane.position,
      passedRows: 0,
      flush: false,
    }
    const [statement, values] = [batchStatement(columnUpdate, batch), batchParameters(columnUpdate, lane, batch)]
    await rejectFullScan(sql, { table: leaf, statement, values, keyColumns: CTID_KEY, tableShare })
  }

  const write = async (
    range: KeyRange,
    checkpoint: Pick<
      Batch,
      'nextPosition' | 'rangeState' | 'maxLinePointer' | 'twoByteLinePointers' | 'passedRows' | 'unmappedRecording'
    >,
  ) => {
    await run.failpoint(job.failpoints.batch)
    const started = performance.now()
    const result = await writeBatch(sql, columnUpdate, lane, {
      relation: leaf,
      rows: rangeCondition(target, range, BATCH_ROWS_FIRST_PARAMETER),
      ...checkpoint,
      flush: ++batches % job.tuning().checkpointInterval === 0,
    })
    const seconds = (performance.now() - started) / 1000
    await run.failpoint(job.failpoints.written)
    const striped = checkpoint.rangeState
      ? { ...checkpoint.rangeState, written: checkpoint.rangeState.written + result.written }
      : null
    lane = { ...lane, position: checkpoint.nextPosition, striped }
    run.observeBatch(seconds, result.written)
    if (result.unmapped > 0)
      job.onFailedRows(`${result.unmapped} rows failed: no type of the rollout file matches them`)
    return { ...result, seconds, ...counters.difference(result) }
  }

  return await walkRanges({
    sql,
    target,
    from: lane.position,
    to: lane.high,
    sizeController,
    mayContinue,
    onRetry: job.onRetry,
    nextEstimatedRange(low) {
      if (lane.striped !== null) return { low, high: lane.striped.high, rows: Math.max(2, lane.striped.rows) }
      const [first, endBlock] = [firstBlockAfter(low!), firstBlockAfter(lane.high!)]
      if (first >= endBlock) return null
      const share = stripePolicy.firstShare(page.rows)
      const targetBlocks =
        (size() * (share < 1 ? partsPerStripe(job.tuning().workers) : 1)) / largestStripeRows(page, share)
      const ranges = Math.ceil((endBlock - first) / Math.min(MAX_RANGE_BLOCKS, Math.max(1, Math.floor(targetBlocks))))
      const blocks = Math.ceil((endBlock - first) / ranges)
      return { low, high: blockStart(first + blocks), rows: Math.max(2, Math.round(page.rows * blocks)) }
    },
    async processEstimatedRange(range) {
      const blocks = firstBlockAfter(range.high) - firstBlockAfter(range.low!)
      const maxBatchRows = job.tuning().batchSize ?? 2 * size()
      let striped = lane.striped
      /** Null: begun before, so that what it costs from here on says little. */
      let isStriped: boolean | null = null
      if (striped === null) {
        const survey = await surveyRange(sql, job, leaf, range)
        page = { rows: survey.needed / blocks, lastLinePointer: survey.line }
        // What is left of a lane may be small: a commit for a handful of rows costs more than it spares.
        const share = stripePolicy.firstShare(page.rows)
        isStriped = share < 1 && survey.needed > 2 * Math.min(size(), MIN_STRIPED_BATCH_ROWS)
        const parts = isStriped ? Math.min(blocks, partsPerStripe(job.tuning().workers)) : 1
        const maxLinePointers = Math.floor(maxBatchRows / Math.ceil(blocks / parts))
        striped = {
          high: range.high,
          stripes: computeStripeBounds(page, Math.max(1, maxLinePointers), isStriped ? share : 1),
          parts,
          done: 0,
          rows: survey.rows,
          written: 0,
          most: maxBatchRows,
          filenode: leaf.filenode,
        }
      }
      let seconds = 0
      const totalUpdates = { updates: 0, hotUpdates: 0 }
      const first = { updates: 0, hotUpdates: 0 }
      const [batches, intendedSize] = [striped.stripes.length * striped.parts, size()]
      for (; striped.done < batches; striped = { ...striped, done: striped.done + 1 }) {
        if (striped.done > 0 && !(await mayContinue())) return 'stopped'
        // Somebody asked for smaller batches.
        if ((job.tuning().batchSize ?? striped.most) < striped.most) {
          discardRange()
          return 'again'
        }
        const isLast = striped.done === batches - 1
        const stripe = Math.floor(striped.done / striped.parts)
        const started = performance.now()
        await checkPlanOnce(rangePart(range, 0, striped.parts))
        const step: TimedBatchResult = await write(rangePart(range, striped.done % striped.parts, striped.parts), {
          ...(striped.stripes.length > 1 ? { maxLinePointer: striped.stripes[stripe]! } : {}),
          twoByteLinePointers: striped.stripes.at(-1)! > MAX_ONE_BYTE_LINE_POINTER,
          nextPosition: isLast ? range.high : lane.position,
          rangeState: isLast ? null : { ...striped, done: striped.done + 1 },
          passedRows: isLast ? striped.rows : 0,
          // Of the whole part, once: with its last stripe.
          unmappedRecording: stripe === striped.stripes.length - 1 ? 'counted' : 'no',
        }).catch((error: unknown) => {
          if (errorCode(error) === '57014') sizeController.observe(size(), (performance.now() - started) / 1000)
          throw error
        })
        sizeController.observe(step.written, step.seconds)
        // What is written has been passed; what was right before is passed with the range.
        reportBatch(step, isLast ? Math.max(0, striped.rows - striped.written) : step.written)
        striped = { ...striped, written: striped.written + step.written }
        seconds += step.seconds
        for (const sum of stripe === 0 ? [totalUpdates, first] : [totalUpdates]) {
          sum.updates += step.updates
          sum.hotUpdates += step.hotUpdates
        }
      }
      if (isStriped !== null) {
        // A plain range can have more than one batch, too, when a page has more rows than a batch may have.
        const hot = { hotRatio: hotRatioOf(totalUpdates), firstHotRatio: hotRatioOf(first) }
        stripePolicy.observe({ striped: isStriped, written: striped.written, seconds, ...hot })
        hillClimb?.observe(intendedSize, striped.written, seconds)
      }
      return 'done'
    },
    async processCountedRange(range) {
      discardRange()
      reportBatch(
        await write(range, { nextPosition: range.high, passedRows: range.rows, unmappedRecording: 'counted' }),
        range.rows,
      )
    },
    async handlePoisonRow({ range, sqlstate, message }) {
      const key = await recordFailedRow(sql, columnUpdate, lane, {
        relation: leaf.sql,
        rowCondition: await failedRowCondition(sql, target, range, job.countsAsFailedRow),
        sqlstate,
        message,
        nextPosition: range.high,
        passedRows: 1,
      })
      await run.failpoint(job.failpoints.poison)
      discardRange()
      lane = { ...lane, position: range.high, striped: null }
      job.onProgress({ passedRows: 1, writtenRows: 0, failedRows: key === null ? 0 : 1 })
      if (key !== null) job.onFailedRows(`row ${key.join(', ')} failed: ${message} (${sqlstate})`)
    },
  })
}

/**
 * Another worker's batch may have begun before the last stripe of a page was committed, and keeps its dead rows until it
 * ends. So a page rests for as many batches as others may be at.
 */
function partsPerStripe(workers: number): number {
  return workers === 1 ? 1 : Math.min(4, workers + 1)
}

function rangePart(range: KeyRange, partIndex: number, parts: number): KeyRange {
  const [first, endBlock] = [firstBlockAfter(range.low!), firstBlockAfter(range.high)]
  const bound = (n: number): Key => blockStart(first + Math.floor(((endBlock - first) * n) / parts))
  return {
    ...range,
    low: partIndex === 0 ? range.low : bound(partIndex),
    high: partIndex === parts - 1 ? range.high : bound(partIndex + 1),
  }
}

/** How many rows a range has, how many need the change, and the last line pointer of those. Prunes its pages by the way. */
async function surveyRange(
  sql: Sql,
  { columnUpdate }: BulkUpdateJob,
  leaf: LeafPartition,
  range: KeyRange,
): Promise<{ rows: number; needed: number; line: number }> {
  const { condition, values } = rangeCondition({ table: leaf, key: CTID_KEY }, range, 1)
  const result = await sql.unsafe<{ rows: number; needed: number; line: number }[]>(
    `select /* sti */ count(*)::int as rows, count(*) filter (where ${columnUpdate.needsUpdate})::int as needed,
       coalesce(max(${LINE_POINTER}) filter (where ${columnUpdate.needsUpdate}), 1)::int as line
     from ${leaf.sql} as t where ${condition}`,
    values,
    { prepare: true },
  )
  return onlyRow(result)
}

function hotRatioOf({ updates, hotUpdates }: { updates: number; hotUpdates: number }): number | null {
  return updates === 0 ? null : hotUpdates / updates
}

interface HotCounters {
  difference(now: { updates: number; hotUpdates: number }): { updates: number; hotUpdates: number }
}

/** The connection's counters grow until its statistics are sent, then they begin anew. */
function createHotCounters(): HotCounters {
  let last = { updates: 0, hotUpdates: 0 }
  return {
    difference({ updates, hotUpdates }) {
      const isContinuous = updates >= last.updates && hotUpdates >= last.hotUpdates
      const difference = isContinuous
        ? { updates: updates - last.updates, hotUpdates: hotUpdates - last.hotUpdates }
        : { updates, hotUpdates }
      last = { updates, hotUpdates }
      return difference
    },
  }
}
