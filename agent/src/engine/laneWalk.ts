import type { Sql } from '../database/connect.ts'
import { errorCode } from '../database/errors.ts'
import { onlyRow } from '../database/onlyRow.ts'
import {
  batchParameters,
  batchStatement,
  BATCH_ROWS_FIRST_PARAMETER,
  writeBatch,
  type Batch,
  type BatchResult,
} from './batch.ts'
import type { BulkUpdateJob, SharedWorkerState } from './bulkUpdateJob.ts'
import { CTID_KEY, LINE_POINTER } from './ctid.ts'
import { failedRowCondition, recordFailedRow } from './failedRow.ts'
import { probeHeldRow } from './heldRows.ts'
import { rangeCondition, type KeyRange, type KeyedTable } from './keyRange.ts'
import type { Lane, RangeState } from './lane.ts'
import {
  blockCount,
  isWorthStriping,
  pageLayoutOf,
  partOfRange,
  planBatch,
  planRange,
  planStripes,
  resumeRange,
  type PlanInput,
  type PlannedBatch,
  type RangeSurvey,
} from './lanePlan.ts'
import type { LeafPartition } from './leafPartitions.ts'
import { rejectFullScan } from './queryPlanGuard.ts'
import {
  addBatchToMeasurement,
  createHotCounters,
  reportMeasurement,
  startMeasurement,
  type HotCounters,
  type RangeMeasurement,
} from './rangeMeasurement.ts'
import { walkRanges, type PoisonRow, type RangeOutcome } from './rangeWalk.ts'
import { heldRowHooks } from './lockWaitHooks.ts'
import { MAX_ONE_BYTE_LINE_POINTER, SHARD_STRIPE_SHARE, type PageLayout } from './stripeBounds.ts'

/** One worker on one lane. */
export interface LaneWalk {
  readonly job: BulkUpdateJob
  readonly shared: SharedWorkerState
  /** The leaf partition as it is now. */
  readonly leaf: LeafPartition
  readonly sql: Sql
  /** Waits at the throttle gate between two batches; false ends the walk at this safe point. */
  mayContinue(): Promise<boolean>
}

/** What changes from batch to batch. `lane` is always what is committed. */
interface WalkState extends LaneWalk {
  readonly target: KeyedTable
  readonly hotCounters: HotCounters
  lane: Lane
  /** Page statistics of the last range; before the first one, every row may need the change. */
  page: PageLayout
  batches: number
  /** Another transaction holds a row of this range, so its batches write the other rows. */
  skipLocked: boolean
  /** Held rows of this range so far. */
  heldRows: number
  /** Null: the current range was started by another agent or failed once, so its cost is not representative. */
  measurement: RangeMeasurement | null
}

/** Writes a lane from its position to its end. False if the operation was asked to stop. */
export async function walkLane(walk: LaneWalk, lane: Lane): Promise<boolean> {
  const { job, leaf, sql } = walk
  const state: WalkState = {
    ...walk,
    target: { table: leaf, key: CTID_KEY },
    hotCounters: createHotCounters(),
    lane,
    page: { rows: leaf.rowsPerBlock, lastLinePointer: leaf.rowsPerBlock },
    batches: 0,
    skipLocked: false,
    heldRows: 0,
    measurement: null,
  }
  // VACUUM FULL has moved every row: the stripes no longer fit the pages.
  if (lane.range_state?.filenode !== leaf.filenode) discardRange(state)
  return await walkRanges({
    sql,
    target: state.target,
    from: lane.position,
    to: lane.high,
    sizeController: walk.shared.sizeController,
    mayContinue: walk.mayContinue,
    onRetry: (sqlstate) => job.hooks.onRetry(sqlstate),
    lockWaits: heldRowHooks(job, state.target, () => (state.skipLocked = true)),
    nextEstimatedRange: (low) =>
      state.lane.range_state === null
        ? planRange(low!, lane.high!, planInput(state))
        : resumeRange(low, state.lane.range_state),
    processEstimatedRange: (range) => writeNextBatch(state, range),
    processCountedRange: (range) => writeCountedRange(state, range),
    handlePoisonRow: (row) => recordPoisonRow(state, row),
  })
}

/** Writes one batch of a range; the first batch after a survey. */
async function writeNextBatch(walk: WalkState, range: KeyRange): Promise<RangeOutcome> {
  const { job, shared } = walk
  const rangeState = walk.lane.range_state ?? (await surveyAndPlan(walk, range))
  // The batch size was lowered below the size that the stripes were planned for.
  if ((job.tuning().batchSize ?? rangeState.most) < rangeState.most) {
    discardRange(walk)
    return 'again'
  }
  const batch = planBatch(range, rangeState, walk.lane.position)
  await checkPlanOnce(walk, partOfRange(range, 0, rangeState.parts))
  const result = await writePlannedBatch(walk, batch.isLast ? withoutHeldRows(batch, walk.heldRows) : batch)
  shared.sizeController.observe(result.written, result.seconds)
  // A written row is passed with its batch; a row that was right already is passed with the range.
  const passedRows = batch.isLast
    ? Math.max(0, rangeState.rows - walk.heldRows - result.held - rangeState.written)
    : result.written
  reportBatch(job, result, passedRows)
  if (walk.measurement !== null) addBatchToMeasurement(walk.measurement, result, batch.isFirstStripe)
  await noteHeldRows(walk, result, batch.checkpoint.unmappedRecording === 'counted')
  if (!batch.isLast) return 'again'
  endHeldRange(walk)
  if (walk.measurement !== null) reportMeasurement(shared, walk.measurement, rangeState.written + result.written)
  walk.measurement = null
  return 'done'
}

async function surveyAndPlan(walk: WalkState, range: KeyRange): Promise<RangeState> {
  const survey = await surveyRange(walk, range)
  walk.page = pageLayoutOf(range, survey)
  const input = planInput(walk)
  walk.measurement = walk.shared.shardBatchSize?.isGrowing()
    ? null
    : startMeasurement(isWorthStriping(survey, input), input.batchRows)
  return planStripes(range, survey, input, walk.leaf.filenode)
}

function planInput({ job, shared, page }: WalkState): PlanInput {
  const { workers, batchSize } = job.tuning()
  const batchRows = intendedBatchRows(shared)
  const stripeShares = chooseStripeShares(shared, page)
  return { page, batchRows, maxBatchRows: batchSize ?? 2 * batchRows, workers, ...stripeShares }
}

/**
 * In shards, a batch costs so much whatever its rows that few, equal stripes are faster than many that shrink. The first
 * ranges there are plain, one batch each, until the batches are as large as they may be: the stripes of a range are planned
 * for one batch size.
 */
function chooseStripeShares(
  { stripePolicy, shardBatchSize }: SharedWorkerState,
  page: PageLayout,
): Pick<PlanInput, 'firstStripeShare' | 'minStripeShare'> {
  const firstStripeShare = shardBatchSize?.isGrowing() ? 1 : stripePolicy.firstShare(page.rows)
  return shardBatchSize === null || firstStripeShare === 1
    ? { firstStripeShare }
    : { firstStripeShare: SHARD_STRIPE_SHARE, minStripeShare: SHARD_STRIPE_SHARE }
}

function intendedBatchRows({ sizeController, hillClimb }: SharedWorkerState): number {
  return Math.min(sizeController.size(), hillClimb?.size() ?? Infinity)
}

/** Counts the rows of a range. Reading its pages also prunes them. */
async function surveyRange({ sql, job, leaf, target }: WalkState, range: KeyRange): Promise<RangeSurvey> {
  const { needsUpdate } = job.columnUpdate
  const { condition, values } = rangeCondition(target, range, 1)
  const result = await sql.unsafe<RangeSurvey[]>(
    `select /* sti */ count(*)::int as rows, count(*) filter (where ${needsUpdate})::int as "rowsToWrite",
       coalesce(max(${LINE_POINTER}) filter (where ${needsUpdate}), 1)::int as "lastLinePointer"
     from ${leaf.sql} as t where ${condition}`,
    values,
    { prepare: true },
  )
  return onlyRow(result)
}

interface TimedBatchResult extends BatchResult {
  readonly seconds: number
}

async function writePlannedBatch(walk: WalkState, batch: PlannedBatch): Promise<TimedBatchResult> {
  const { sizeController } = walk.shared
  const started = performance.now()
  try {
    return await writeRange(walk, batch.range, batch.checkpoint)
  } catch (error) {
    walk.measurement = null
    if (errorCode(error) === '57014')
      sizeController.observe(intendedBatchRows(walk.shared), (performance.now() - started) / 1000)
    throw error
  }
}

/** Checks the query plan once per partition, with the first range that is a fraction of it. */
async function checkPlanOnce(walk: WalkState, range: KeyRange): Promise<void> {
  const { job, leaf, lane, sql, shared } = walk
  // A range of pages of a shard is read by a TID range scan; EXPLAIN shows the plan of one shard, in another form.
  if (shared.checkedPartitions.has(leaf.oid) || job.columnUpdate.inShards !== null) return
  shared.checkedPartitions.add(leaf.oid)
  const batch: Batch = {
    relation: leaf,
    rows: rangeCondition(walk.target, range, BATCH_ROWS_FIRST_PARAMETER),
    maxLinePointer: MAX_ONE_BYTE_LINE_POINTER,
    unmappedRecording: 'no',
    nextPosition: lane.position,
    passedRows: 0,
    flush: false,
  }
  await rejectFullScan(sql, {
    table: leaf,
    statement: batchStatement(job.columnUpdate, batch),
    values: batchParameters(job.columnUpdate, lane, batch),
    keyColumns: CTID_KEY,
    tableShare: blockCount(range) / Math.max(1, leaf.blocks),
  })
}

/** Writes one batch and its checkpoint, and moves the lane in memory once both are committed. */
async function writeRange(
  walk: WalkState,
  range: KeyRange,
  checkpoint: PlannedBatch['checkpoint'],
): Promise<TimedBatchResult> {
  const { job, leaf, lane, sql } = walk
  await job.run.failpoint(job.failpoints.batch)
  const started = performance.now()
  const result = await writeBatch(sql, job.columnUpdate, lane, {
    relation: leaf,
    rows: rangeCondition(walk.target, range, BATCH_ROWS_FIRST_PARAMETER),
    ...checkpoint,
    skipLocked: walk.skipLocked,
    flush: ++walk.batches % job.tuning().checkpointInterval === 0,
  })
  const seconds = (performance.now() - started) / 1000
  await job.run.failpoint(job.failpoints.written)
  const { rangeState, nextPosition } = checkpoint
  const nextRangeState = rangeState ? { ...rangeState, written: rangeState.written + result.written } : null
  walk.lane = { ...lane, position: nextPosition, range_state: nextRangeState }
  job.run.observeBatch(seconds, result.written)
  if (result.unmapped > 0)
    job.hooks.onFailedRows(`${result.unmapped} rows failed: no type of the rollout file matches them`)
  return { ...result, seconds, ...walk.hotCounters.difference(result) }
}

/** Writes a range that was halved because of an error, as one plain batch. */
async function writeCountedRange(walk: WalkState, range: KeyRange): Promise<void> {
  discardRange(walk)
  const checkpoint = { nextPosition: range.high, passedRows: range.rows, unmappedRecording: 'counted' } as const
  const result = await writeRange(walk, range, checkpoint)
  reportBatch(walk.job, result, range.rows - result.held)
  await noteHeldRows(walk, result, true)
  endHeldRange(walk)
}

/**
 * The stripes of a range overlap, so held rows are counted in the last stripe only, which sees every row that is left.
 * Their holder is read at the first one.
 */
async function noteHeldRows(walk: WalkState, { held, heldKeys }: BatchResult, isLastStripe: boolean): Promise<void> {
  const { job, sql } = walk
  if (held === 0) return
  if (isLastStripe) {
    walk.heldRows += held
    job.heldRows.addRows(held, heldKeys)
  }
  if (job.heldRows.knowsHolders()) return
  const probed = { table: job.run.rollout.table.sql, columnUpdate: job.columnUpdate }
  await probeHeldRow(job.run.database.state, sql, probed, heldKeys[0]!, (holders) => job.heldRows.setHolders(holders))
}

/** The lane does not pass the rows that earlier batches of the last stripe left to the sweep. */
function withoutHeldRows(batch: PlannedBatch, heldRows: number): PlannedBatch {
  const { checkpoint } = batch
  return { ...batch, checkpoint: { ...checkpoint, passedRows: checkpoint.passedRows - heldRows } }
}

/** If a row of this range was held, one of the next range may be held too. */
function endHeldRange(walk: WalkState): void {
  walk.skipLocked = walk.heldRows > 0
  walk.heldRows = 0
}

async function recordPoisonRow(walk: WalkState, { range, sqlstate, message }: PoisonRow): Promise<void> {
  const { job, leaf, lane, sql, target } = walk
  const key = await recordFailedRow(sql, job.columnUpdate, lane, {
    relation: leaf.sql,
    rowCondition: await failedRowCondition(sql, target, range, job.countsAsFailedRow),
    sqlstate,
    message,
    nextPosition: range.high,
    passedRows: 1,
  })
  await job.run.failpoint(job.failpoints.poison)
  discardRange(walk)
  walk.lane = { ...walk.lane, position: range.high, range_state: null }
  job.hooks.onProgress({ passedRows: 1, writtenRows: 0, failedRows: key === null ? 0 : 1 })
  if (key !== null) job.hooks.onFailedRows(`row ${key.join(', ')} failed: ${message} (${sqlstate})`)
}

/** Forgets the stripes of a range, which is then cut again: its written rows will be passed a second time. */
function discardRange(walk: WalkState): void {
  walk.measurement = null
  if (walk.lane.range_state === null) return
  walk.job.hooks.onProgress({ passedRows: -walk.lane.range_state.written, writtenRows: 0, failedRows: 0 })
  walk.lane = { ...walk.lane, range_state: null }
}

function reportBatch({ hooks }: BulkUpdateJob, result: TimedBatchResult, passedRows: number): void {
  hooks.onProgress({
    passedRows,
    writtenRows: result.written,
    failedRows: result.unmapped,
    batch: { rows: result.written, seconds: result.seconds },
  })
}
