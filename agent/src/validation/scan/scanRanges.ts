import type { ConfusionCell } from '../../contract/index.ts'
import type { Sql } from '../../database/connect.ts'
import { isConnectionError } from '../../database/errors.ts'
import { createBatchSizeController } from '../../engine/batchSizeController.ts'
import type { Key } from '../../engine/keys.ts'
import { rejectFullScan } from '../../engine/queryPlanGuard.ts'
import type { KeyRange } from '../../engine/keyRange.ts'
import { walkRanges } from '../../engine/rangeWalk.ts'
import { isDiscrepancy, MAX_RANGE_ROWS, buildQuickStatement, readRange, type ScanTarget } from './readRange.ts'
import { createKeySpans } from './keySpans.ts'
import type { SuspectRow } from './suspectRow.ts'
import {
  addRaisingRow,
  addRange,
  buildConfusionMatrix,
  takeSampleKeys,
  countRemainingSuspects,
  type ScanTally,
} from './scanTally.ts'

/** One reading of the table. */
export interface TableScan {
  readonly rows: number
  readonly confusion: readonly ConfusionCell[]
  /** Rows whose type is not what their legacy columns say. */
  readonly discrepancies: number
  /** With `restore: none`, rows whose type new code wrote: legacy columns never follow, so they say another one. */
  readonly kept: number
  readonly discrepancyKeys: readonly Key[]
  /** Rows no type matches; a right one holds NULL. */
  readonly unmapped: number
  readonly unknownTypes: number
  /** Rows on which the file's expression itself raises. */
  readonly raising: number
  readonly raisingKeys: readonly Key[]
  /** XOR over a hash of each row's key and legacy columns, and its type where that is wrong: the order of rows does not matter. */
  readonly checksum: string
  /** The statement of one range. */
  readonly query: string
  /** The rows were read on the replica. */
  readonly replica: boolean
}

export interface ScanJob {
  readonly sql: Sql
  readonly reading: ScanTarget
  /** It goes on after `from`, and adds to `tally`. */
  readonly from: Key | null
  readonly tally: ScanTally
  /** On a replica what does not pass quickly is not waited for. */
  readonly replica: boolean
  /** Called between ranges with what is read by now; false ends the scan at this safe point. */
  mayContinue(position: Key | null): Promise<boolean>
  passed(rows: number): void
  retried(sqlstate: string): void
}

/** The replica is away, or cancels every statement: the primary is to be read instead. */
export class ReplicaUnavailable extends Error {}

/** How often in a row a statement may fail on a replica. */
const MAX_REPLICA_FAILURES = 6
const TARGET_RANGE_SECONDS = 0.25
const INITIAL_RANGE_ROWS = 10_000
/** Where the end of a range costs nothing to find, ranges may grow fast: a larger one is cheaper for each row. */
const MAX_GROWTH_FACTOR = 8
/** A range that is so much of the table is read faster in the order of its pages than by the key. */
const SEQ_SCAN_FRACTION = 0.5

/**
 * Reads the table in key ranges, each one statement with a short snapshot of its own: a long one would keep the
 * backfill's updates from being HOT. Answers false when it was asked to stop.
 * @throws ReplicaLost
 */
export async function scanRanges(job: ScanJob): Promise<boolean> {
  const { sql, reading: target, tally } = job
  const { walked, table } = target
  const feedback = createBatchSizeController(INITIAL_RANGE_ROWS, MAX_RANGE_ROWS / 8, TARGET_RANGE_SECONDS)
  let size = INITIAL_RANGE_ROWS
  const spans = await createKeySpans(sql, target)
  let position = job.from
  let planChecked = false
  let seqScanEnabled = false
  let failures = 0
  const read = async (range: KeyRange): Promise<void> => {
    if (!planChecked && range.low !== null) {
      const part = range.rows / Math.max(range.rows, table.estimatedRows ?? Infinity)
      await rejectFullScan(sql, {
        table: walked.table,
        keyColumns: walked.key,
        tableShare: part,
        ...buildQuickStatement(target, range),
      })
      planChecked = true
    }
    const coversMostOfTable = range.rows > SEQ_SCAN_FRACTION * (table.estimatedRows ?? Infinity)
    if (coversMostOfTable !== seqScanEnabled) {
      await sql`select /* sti */ set_config('enable_seqscan', ${coversMostOfTable ? 'on' : 'off'}, false)`
      seqScanEnabled = coversMostOfTable
    }
    const started = performance.now()
    const result = await readRange(sql, target, range, countRemainingSuspects(tally))
    // Nothing is awaited from here on: a range that is tried again must not count twice.
    const rows = addRange(tally, result)
    position = range.high
    failures = 0
    if (spans !== null) {
      spans.observe(range, rows)
      const seconds = (performance.now() - started) / 1000
      if (rows > 0)
        size = Math.round(Math.min(MAX_RANGE_ROWS, size * MAX_GROWTH_FACTOR, (rows / seconds) * TARGET_RANGE_SECONDS))
    }
    job.passed(rows)
  }
  return await walkRanges({
    sql,
    target: walked,
    from: job.from,
    to: null,
    sizeController: feedback,
    async mayContinue() {
      if (job.replica && failures >= MAX_REPLICA_FAILURES) throw new ReplicaUnavailable()
      if (spans?.reached(position)) await spans.refresh()
      return await job.mayContinue(position)
    },
    onRetry(sqlstate) {
      failures++
      job.retried(sqlstate)
    },
    ...(spans === null
      ? {}
      : {
          nextEstimatedRange: (low) => spans.next(low, size),
          async processEstimatedRange(range) {
            await read(range)
            return 'done'
          },
        }),
    processCountedRange: read,
    async handlePoisonRow({ range }) {
      addRaisingRow(tally, range.high)
      position = range.high
      job.passed(1)
    },
  }).catch((error: unknown) => {
    if (job.replica && isConnectionError(error)) throw new ReplicaUnavailable()
    throw error
  })
}

/** What was found, once the rows that were wrong have been looked at again. */
export function summarizeScan(
  target: ScanTarget,
  tally: ScanTally,
  discrepancies: readonly SuspectRow[],
  replica: boolean,
): TableScan {
  const confusion = buildConfusionMatrix(tally)
  const sumRows = (matches: (cell: ConfusionCell) => boolean): number =>
    confusion.filter(matches).reduce((total, cell) => total + cell.rows, 0)
  return {
    rows: tally.rows,
    confusion,
    raising: tally.raising,
    raisingKeys: tally.raisingKeys,
    replica,
    discrepancies: sumRows((cell) => isDiscrepancy(target, cell)),
    kept: sumRows((cell) => cell.actual !== cell.expected && !isDiscrepancy(target, cell)),
    discrepancyKeys: takeSampleKeys(discrepancies),
    unmapped: sumRows((cell) => cell.expected === null),
    unknownTypes: sumRows((cell) => cell.actual !== null && !target.rollout.types.includes(cell.actual)),
    checksum: tally.checksum.padStart(16, '0'),
    query: buildQuickStatement(target, { low: ['…'], high: ['…'], rows: 0 }).statement,
  }
}

/** Rows that hold the type that their legacy columns say, or that new code may have given them. Rows no type matches hold NULL as they should, which is still no type. */
export function countCorrectRows(scan: TableScan): number {
  const correctlyNull = scan.confusion.find((cell) => cell.expected === null && cell.actual === null)?.rows ?? 0
  return scan.rows - scan.discrepancies - scan.raising - correctlyNull
}

/** Rows with a correct type / all rows, rounded down; 1 only when equal. */
export function computeCoverage(scan: TableScan): number {
  const correctRows = countCorrectRows(scan)
  if (scan.rows === correctRows) return 1
  return Math.floor((correctRows * 1_000_000) / scan.rows) / 1_000_000
}
