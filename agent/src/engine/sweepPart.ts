import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'
import { BATCH_ROWS_FIRST_PARAMETER, writeBatch } from './batch.ts'
import { createBatchSizeController } from './batchSizeController.ts'
import type { BulkUpdateJob } from './bulkUpdateJob.ts'
import { blockStart, CTID_KEY, firstBlockAfter } from './ctid.ts'
import { failedRowCondition, recordFailedRow } from './failedRow.ts'
import { rangeCondition, readNextRange, type KeyRange, type KeyedTable } from './keyRange.ts'
import { keyAsJson, type Key } from './keys.ts'
import type { Lane } from './lane.ts'
import { walkRanges, type PoisonRow, type RangeOutcome } from './rangeWalk.ts'
import { heldRowHooks } from './lockWaitHooks.ts'

/** A part of the table that one worker sweeps. */
export interface SweepPart {
  /** Null: the whole table in key order. */
  readonly leafOid: number | null
  readonly target: KeyedTable
  readonly from: Key | null
  readonly to: Key | null
}

export interface PartSweep {
  readonly job: BulkUpdateJob
  /** The operation's own lane. The sweep does not move it. */
  readonly lane: Lane
  readonly sql: Sql
  /** Shared by all workers of the sweep. */
  readonly counts: { rows: number; fixedRows: number }
  /** Ranges with rows that another transaction holds; shared by all workers. */
  readonly owed: OwedRange[]
  mayContinue(): Promise<boolean>
}

/** A range that was written except for its held rows. */
export interface OwedRange {
  readonly leafOid: number | null
  readonly target: KeyedTable
  readonly range: KeyRange
  readonly rows: number
  readonly keys: readonly Key[]
}

interface SweepState extends PartSweep {
  readonly part: SweepPart
  low: Key | null
  /** Pages of the next range. */
  blocks: number
  /** Another transaction holds a row of this range, so the other rows are written. */
  skipLocked: boolean
}

interface RangeInspection {
  readonly rows: number
  readonly wrong: number
}

const MAX_RANGE_BLOCKS = 128
const MAX_BATCH_ROWS = 5_000
const TARGET_BATCH_SECONDS = 0.1

/** Sweeps one part. Returns the rest of it if the sweep was asked to stop, otherwise null. */
export async function sweepPart(sweep: PartSweep, part: SweepPart): Promise<SweepPart | null> {
  const { job, sql } = sweep
  const state: SweepState = { ...sweep, part, low: part.from, blocks: MAX_RANGE_BLOCKS, skipLocked: false }
  const sizeController = createBatchSizeController(maxBatchRows(job), maxBatchRows(job), TARGET_BATCH_SECONDS)
  const inHeapOrder = part.target.key === CTID_KEY
  const finished = await walkRanges({
    sql,
    target: part.target,
    from: part.from,
    to: part.to,
    async mayContinue() {
      sizeController.tune(maxBatchRows(job), TARGET_BATCH_SECONDS)
      return await sweep.mayContinue()
    },
    sizeController,
    onRetry: (sqlstate) => job.hooks.onRetry(sqlstate),
    lockWaits: heldRowHooks(job, part.target, () => (state.skipLocked = true)),
    nextEstimatedRange: inHeapOrder ? (low) => nextBlockRange(low!, part.to!, state.blocks) : undefined,
    processEstimatedRange: (range) => fixBlocks(state, range),
    processCountedRange: (range) => fixRange(state, range).then(() => undefined),
    handlePoisonRow: (row) => recordPoisonRow(state, row),
  })
  return finished ? null : { ...part, from: state.low }
}

function maxBatchRows({ tuning }: BulkUpdateJob): number {
  return Math.min(MAX_BATCH_ROWS, tuning().batchSize ?? MAX_BATCH_ROWS)
}

/** Writes the wrong rows of a range, unless there are more than `maxRows` of them. */
async function fixRange(state: SweepState, range: KeyRange, maxRows = Infinity): Promise<RangeInspection> {
  const { job, counts } = state
  const inspection = await inspectRange(state, range)
  await job.run.failpoint('sweep.looked')
  if (inspection.wrong > maxRows) return inspection
  if (inspection.wrong > 0) {
    await writeRange(state, range)
    await job.run.failpoint('sweep.written')
  }
  // Counted after the write: a row that cannot be written ends in recordPoisonRow() and is counted there.
  counts.rows += inspection.rows
  counts.fixedRows += inspection.wrong
  state.low = range.high
  return inspection
}

/** If a range has more wrong rows than a batch may have, it is cut smaller, down to parts of one page. */
async function fixBlocks(state: SweepState, range: KeyRange): Promise<RangeOutcome> {
  const { job, sql, part } = state
  const maxRows = maxBatchRows(job)
  const { wrong } = await fixRange(state, range, maxRows)
  if (wrong <= maxRows) {
    state.blocks = Math.min(MAX_RANGE_BLOCKS, state.blocks * 2)
    return 'done'
  }
  const blockCount = firstBlockAfter(range.high) - firstBlockAfter(range.low!)
  state.blocks = Math.max(1, Math.floor((blockCount * maxRows) / wrong))
  if (blockCount > 1) return 'again'
  for (let after = range.low; ;) {
    const piece = await readNextRange(sql, part.target, after, range.high, maxBatchRows(job))
    if (piece === null) break
    await fixRange(state, piece)
    after = piece.high
    if (!(await state.mayContinue())) return 'stopped'
  }
  state.low = range.high
  return 'done'
}

async function recordPoisonRow(state: SweepState, { range, sqlstate, message }: PoisonRow): Promise<void> {
  const { job, lane, sql, part, counts } = state
  await recordFailedRow(sql, job.columnUpdate, lane, {
    relation: part.target.table.sql,
    rowCondition: await failedRowCondition(sql, part.target, range, job.countsAsFailedRow),
    sqlstate,
    message,
    nextPosition: lane.position,
    passedRows: 0,
  })
  counts.rows++
  state.low = range.high
}

function nextBlockRange(low: Key, to: Key, blocks: number): KeyRange | null {
  const [first, endBlock] = [firstBlockAfter(low), firstBlockAfter(to)]
  return first >= endBlock ? null : { low, high: blockStart(Math.min(endBlock, first + blocks)), rows: 2 }
}

/** Counts rows, and rows that are not right: not the derived value, or unmapped and not recorded as failed. */
async function inspectRange({ sql, job, part }: SweepState, range: KeyRange): Promise<RangeInspection> {
  const { target } = part
  const { columnUpdate } = job
  const { condition, values } = rangeCondition(target, range, 2)
  const unrecorded = `${columnUpdate.unmapped} and not exists (select from sti.failed_row f
      where f.rollout = $1::text and f.key = ${keyAsJson(columnUpdate.key, 't')} and f.recovered_at is null)`
  const result = await sql.unsafe<{ rows: number; wrong: number }[]>(
    `select /* sti */ count(*)::int as rows,
       count(*) filter (where ${columnUpdate.needsUpdate}${columnUpdate.unmapped === null ? '' : ` or ${unrecorded}`})::int as wrong
     from ${target.table.sql} as t where ${condition} and $1::text is not null`,
    [columnUpdate.rollout, ...values],
    { prepare: true },
  )
  return onlyRow(result)
}

async function writeRange(state: SweepState, range: KeyRange): Promise<void> {
  const { sql, job, lane, part, owed, skipLocked } = state
  const { held, heldKeys } = await writeBatch(sql, job.columnUpdate, lane, {
    relation: part.target.table,
    rows: rangeCondition(part.target, range, BATCH_ROWS_FIRST_PARAMETER),
    unmappedRecording: 'uncounted',
    nextPosition: lane.position,
    passedRows: 0,
    skipLocked,
    flush: true,
  })
  state.skipLocked = held > 0
  if (held === 0) return
  owed.push({ leafOid: part.leafOid, target: part.target, range, rows: held, keys: heldKeys })
  job.heldRows.addRows(held, heldKeys)
}
