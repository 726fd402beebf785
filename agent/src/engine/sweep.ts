import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'
import { BATCH_ROWS_FIRST_PARAMETER, writeBatch } from './batch.ts'
import type { ColumnUpdate } from './columnUpdate.ts'
import { CTID_KEY, firstBlockAfter, blockStart } from './ctid.ts'
import { failedRowCondition, recordFailedRow, type FailedRowPredicate } from './failedRow.ts'
import { createBatchSizeController } from './batchSizeController.ts'
import type { ThrottleGate } from '../throttle/throttleGate.ts'
import { keyAsJson } from './keys.ts'
import type { RunContext } from '../kind/kind.ts'
import type { Lane } from './lane.ts'
import { isDroppedPartition, readLeafPartitions, type LeafPartition } from './leafPartitions.ts'
import { rangeCondition, readNextRange, type KeyRange, type KeyedTable } from './keyRange.ts'
import { walkRanges, type RangeWalk } from './rangeWalk.ts'
import { runWorkerPool } from './workerPool.ts'

export interface Sweep {
  readonly run: RunContext
  readonly columnUpdate: ColumnUpdate
  readonly gate: ThrottleGate
  /** The operation's own lane. A sweep does not move it. */
  readonly lane: Lane
  /** A connection for one worker; whoever opened it ends it. */
  connect(): Sql
  workers(): number
  /** Rows of one transaction at most, when somebody gave that. */
  batchSize?(): number | undefined
  readonly onRetry: RangeWalk['onRetry']
  /**
   * `heap`: where whoever moves a row meanwhile makes it right by that, under the dual-write trigger. `key`: where
   * nobody does.
   */
  readonly walkOrder: 'heap' | 'key'
  readonly countsAsFailedRow?: FailedRowPredicate
}

export interface SweepResult {
  readonly rows: number
  /** Rows that were written or newly recorded as failed. */
  readonly fixedRows: number
  /** The table was rewritten, or got a partition, while it was looked at: rows may have been missed. */
  readonly tableChanged: boolean
}

/** A part of the table that one worker looks at. */
interface SweepPart {
  /** Null: a part of the table along its key. */
  readonly leafOid: number | null
  readonly target: KeyedTable
  readonly from: KeyRange['low']
  readonly to: KeyRange['low']
}

interface RangeInspection {
  readonly rows: number
  readonly wrong: number
}

const PART_BLOCKS = 2_048
const RANGE_BLOCKS = 128
const MAX_BATCH_ROWS = 5_000

/**
 * Looks at every row again and writes the ones that are not right: rows that came between two batches, or by a hand that
 * went past the trigger. Null when it was asked to stop.
 */
export async function sweepOnce(sweep: Sweep): Promise<SweepResult | null> {
  const { run, columnUpdate } = sweep
  const { rollout, database } = run
  const partitionsBefore = await readLeafPartitions(database.state, rollout.table.sql)
  const wholeTable: SweepPart[] = [
    { leafOid: null, target: { table: rollout.table, key: columnUpdate.key }, from: null, to: null },
  ]
  const parts = sweep.walkOrder === 'heap' ? partitionsBefore.flatMap(splitLeaf) : wholeTable
  let rows = 0
  let fixedRows = 0
  const size = (): number => Math.min(MAX_BATCH_ROWS, sweep.batchSize?.() ?? MAX_BATCH_ROWS)
  const sweepPart = async (part: SweepPart, sql: Sql, waitAtGate: RangeWalk['mayContinue']): Promise<void> => {
    let low = part.from
    let blocks = RANGE_BLOCKS
    const sizeController = createBatchSizeController(size(), size(), 0.1)
    const mayContinue = async (): Promise<boolean> => {
      sizeController.tune(size(), 0.1)
      return await waitAtGate()
    }
    const fixRange = async (range: KeyRange, maxRows = Infinity): Promise<RangeInspection> => {
      const inspection = await inspectRange(sql, sweep, part.target, range)
      await run.failpoint('sweep.looked')
      if (inspection.wrong > maxRows) return inspection
      if (inspection.wrong > 0) {
        await writeRange(sql, sweep, part.target, range)
        await run.failpoint('sweep.written')
      }
      // Counted once the write has gone through: a row that cannot be written ends alone in poison().
      rows += inspection.rows
      fixedRows += inspection.wrong
      low = range.high
      return inspection
    }
    /** Where more rows are wrong than a batch may have, the range is cut smaller, down to parts of a block. */
    const fixBlocks = async (range: KeyRange): Promise<'done' | 'again' | 'stopped'> => {
      const maxRows = size()
      const { wrong } = await fixRange(range, maxRows)
      if (wrong <= maxRows) {
        blocks = Math.min(RANGE_BLOCKS, blocks * 2)
        return 'done'
      }
      const blockCount = firstBlockAfter(range.high) - firstBlockAfter(range.low!)
      blocks = Math.max(1, Math.floor((blockCount * maxRows) / wrong))
      if (blockCount > 1) return 'again'
      for (let after = range.low; ;) {
        const piece = await readNextRange(sql, part.target, after, range.high, size())
        if (piece === null) break
        await fixRange(piece)
        after = piece.high
        if (!(await mayContinue())) return 'stopped'
      }
      low = range.high
      return 'done'
    }
    const finished = await walkRanges({
      sql,
      target: part.target,
      from: part.from,
      to: part.to,
      mayContinue,
      sizeController,
      onRetry: sweep.onRetry,
      ...(part.target.key === CTID_KEY
        ? { nextEstimatedRange: (after) => nextBlockRange(after!, part.to!, blocks) }
        : {}),
      processEstimatedRange: fixBlocks,
      processCountedRange: (range) => fixRange(range).then(() => undefined),
      async handlePoisonRow({ range, sqlstate, message }) {
        await recordFailedRow(sql, columnUpdate, sweep.lane, {
          relation: part.target.table.sql,
          rowCondition: await failedRowCondition(sql, part.target, range, sweep.countsAsFailedRow),
          sqlstate,
          message,
          nextPosition: sweep.lane.position,
          passedRows: 0,
        })
        rows++
        low = range.high
      },
    })
    if (!finished) parts.unshift({ ...part, from: low })
  }
  const finished = await runWorkerPool(sweep.workers, async (keepWorking) => {
    const sql = sweep.connect()
    const mayContinue = sweep.gate.worker()
    try {
      for (;;) {
        if (!keepWorking() || run.directive() !== 'go-on') return parts.length === 0
        const part = parts.shift()
        if (part === undefined) return true
        await sweepPart(part, sql, async () => keepWorking() && (await mayContinue())).catch(async (error: unknown) => {
          // A partition that was dropped meanwhile; whether there is another one now is looked at in the end.
          if (
            part.leafOid === null ||
            !(await isDroppedPartition(database.state, rollout.table.sql, part.leafOid, error))
          )
            throw error
        })
      }
    } finally {
      await sql.end({ timeout: 1 })
    }
  })
  if (!finished) return null
  return {
    rows,
    fixedRows,
    tableChanged: partitionsDiffer(partitionsBefore, await readLeafPartitions(database.state, rollout.table.sql)),
  }
}

function splitLeaf(leaf: LeafPartition): SweepPart[] {
  const target: KeyedTable = { table: leaf, key: CTID_KEY }
  return Array.from({ length: Math.ceil(leaf.blocks / PART_BLOCKS) }, (_, partIndex) => ({
    leafOid: leaf.oid,
    target,
    from: blockStart(partIndex * PART_BLOCKS),
    to: blockStart(Math.min(leaf.blocks, (partIndex + 1) * PART_BLOCKS)),
  }))
}

function nextBlockRange(
  low: NonNullable<SweepPart['from']>,
  to: NonNullable<SweepPart['to']>,
  blocks: number,
): KeyRange | null {
  const [first, endBlock] = [firstBlockAfter(low), firstBlockAfter(to)]
  return first >= endBlock ? null : { low, high: blockStart(Math.min(endBlock, first + blocks)), rows: 2 }
}

function partitionsDiffer(before: readonly LeafPartition[], after: readonly LeafPartition[]): boolean {
  const files = (leaves: readonly LeafPartition[]): string =>
    leaves.map((leaf) => `${leaf.oid} ${leaf.filenode}`).join()
  return files(before) !== files(after)
}

/** Rows, and how many of them are not right: not the derived type, or a row that no type matches and is not recorded. */
async function inspectRange(
  sql: Sql,
  { columnUpdate }: Sweep,
  target: KeyedTable,
  range: KeyRange,
): Promise<RangeInspection> {
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

/** Writes the rows of a range without moving a lane. */
async function writeRange(sql: Sql, { columnUpdate, lane }: Sweep, target: KeyedTable, range: KeyRange): Promise<void> {
  await writeBatch(sql, columnUpdate, lane, {
    relation: target.table,
    rows: rangeCondition(target, range, BATCH_ROWS_FIRST_PARAMETER),
    unmappedRecording: 'uncounted',
    nextPosition: lane.position,
    passedRows: 0,
    flush: true,
  })
}
