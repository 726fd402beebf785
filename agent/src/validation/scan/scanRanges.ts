import type { ConfusionCell } from '../../contract/index.ts'
import type { Sql } from '../../database/connect.ts'
import { isConnectionError } from '../../database/errors.ts'
import { createBatchSizeController } from '../../engine/batchSizeController.ts'
import type { Key } from '../../engine/keys.ts'
import { rejectFullScan } from '../../engine/queryPlanGuard.ts'
import type { KeyRange } from '../../engine/keyRange.ts'
import { walkRanges, type LockWaitHooks } from '../../engine/rangeWalk.ts'
import { isDiscrepancy, MAX_RANGE_ROWS, buildQuickStatement, readRange, type ScanTarget } from './readRange.ts'
import { createKeySpans } from './keySpans.ts'
import type { SuspectRow } from './readRange.ts'
import {
  addRaisingRow,
  addRange,
  buildConfusionMatrix,
  takeSampleKeys,
  countRemainingSuspects,
  type ScanTally,
} from './scanTally.ts'

/** The result of one table scan. */
export interface TableScan {
  readonly rows: number
  readonly confusion: readonly ConfusionCell[]
  /** Rows whose type does not match their legacy columns. */
  readonly discrepancies: number
  /** With `restore: none`, rows whose type new code wrote, which the legacy columns do not follow. */
  readonly kept: number
  readonly discrepancyKeys: readonly Key[]
  /** Rows that match no type, for which NULL is correct. */
  readonly unmapped: number
  readonly unknownTypes: number
  /** Rows on which the expression of the rollout file raises an error. */
  readonly raising: number
  readonly raisingKeys: readonly Key[]
  /** Rows with a legacy value that `restore` of their type would replace. */
  readonly beyondRestore: number
  /** XOR of the hashes of each row's key, legacy columns, and type if it is wrong; independent of row order. */
  readonly checksum: string
  /** The statement for one range. */
  readonly query: string
  /** The scan read the replica. */
  readonly replica: boolean
}

export interface ScanJob {
  readonly sql: Sql
  readonly reading: ScanTarget
  /** The scan resumes after `from` and adds to `tally`. */
  readonly from: Key | null
  readonly tally: ScanTally
  /** On a replica, only errors that pass quickly are retried. */
  readonly replica: boolean
  readonly lockWaits: LockWaitHooks | null
  /** Called between ranges with the position reached; false stops the scan at this safe point. */
  mayContinue(position: Key | null): Promise<boolean>
  passed(rows: number): void
  retried(sqlstate: string): void
}

/** The replica is unavailable or cancels every statement, so the primary must be read instead. */
export class ReplicaUnavailable extends Error {}

/** Consecutive failures of a statement on a replica before the scan moves to the primary. */
const MAX_REPLICA_FAILURES = 6
const TARGET_RANGE_SECONDS = 0.25
const INITIAL_RANGE_ROWS = 10_000
/** Computed ranges may grow fast, since a larger range costs less per row. */
const MAX_GROWTH_FACTOR = 8
/** A range with at least this share of the table is read faster in page order than through the key index. */
const SEQ_SCAN_FRACTION = 0.5

/**
 * Reads the table in key ranges, each with one statement and a short snapshot: a long snapshot would prevent HOT updates
 * by a backfill. Returns false if stopped on request.
 * @throws ReplicaUnavailable
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
    // No await from here on, so that a retried range is never counted twice.
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
    lockWaits: job.lockWaits,
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

/** The result of the scan after suspects have been rechecked. */
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
    beyondRestore: tally.beyondRestore,
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

/** Rows with the type implied by their legacy columns or written by new code. Rows that match no type are not included. */
export function countCorrectRows(scan: TableScan): number {
  const correctlyNull = scan.confusion.find((cell) => cell.expected === null && cell.actual === null)?.rows ?? 0
  return scan.rows - scan.discrepancies - scan.raising - correctlyNull
}

/** Rows with a correct type / all rows, rounded down so that 1 means all of them. */
export function computeCoverage(scan: TableScan): number {
  const correctRows = countCorrectRows(scan)
  if (scan.rows === correctRows) return 1
  return Math.floor((correctRows * 1_000_000) / scan.rows) / 1_000_000
}
