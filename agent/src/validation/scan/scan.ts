import type { ConfusionCell } from '../../contract/index.ts'
import type { Sql } from '../../database/connect.ts'
import { isAway } from '../../engine/errors.ts'
import { createFeedback } from '../../engine/feedback.ts'
import type { Key } from '../../engine/keys.ts'
import { demandPlan } from '../../engine/plan.ts'
import type { Range } from '../../engine/range.ts'
import { walk } from '../../engine/walk.ts'
import { differs, MOST_ROWS, quickReading, readRange, type Reading } from './reading.ts'
import { createSpans } from './spans.ts'
import type { Suspect } from './suspect.ts'
import { addRaising, addRange, confusionOf, samplesOf, suspectsLeft, type Tally } from './tally.ts'

/** One reading of the table. */
export interface Scan {
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
  readonly reading: Reading
  /** It goes on after `from`, and adds to `tally`. */
  readonly from: Key | null
  readonly tally: Tally
  /** On a replica what does not pass quickly is not waited for. */
  readonly replica: boolean
  /** Called between ranges with what is read by now; false ends the scan at this safe point. */
  goOn(position: Key | null): Promise<boolean>
  passed(rows: number): void
  retried(sqlstate: string): void
}

/** The replica is away, or cancels every statement: the primary is to be read instead. */
export class ReplicaLost extends Error {}

/** How often in a row a statement may fail on a replica. */
const REPLICA_TRIES = 6
const TARGET_SECONDS = 0.25
const FIRST_ROWS = 10_000
/** Where the end of a range costs nothing to find, ranges may grow fast: a larger one is cheaper for each row. */
const GROWTH = 8
/** A range that is so much of the table is read faster in the order of its pages than by the key. */
const MOST_OF_TABLE = 0.5

/**
 * Reads the table in key ranges, each one statement with a short snapshot of its own: a long one would keep the
 * backfill's updates from being HOT. Answers false when it was asked to stop.
 * @throws ReplicaLost
 */
export async function scan(job: ScanJob): Promise<boolean> {
  const { sql, reading, tally } = job
  const { walked, table } = reading
  const feedback = createFeedback(FIRST_ROWS, MOST_ROWS / 8, TARGET_SECONDS)
  let size = FIRST_ROWS
  const spans = await createSpans(sql, reading)
  let position = job.from
  let planned = false
  let inPages = false
  let failures = 0
  const read = async (range: Range): Promise<void> => {
    if (!planned && range.low !== null) {
      const part = range.rows / Math.max(range.rows, table.estimatedRows ?? Infinity)
      await demandPlan(sql, { table: walked.table, by: walked.key, part, ...quickReading(reading, range) })
      planned = true
    }
    const most = range.rows > MOST_OF_TABLE * (table.estimatedRows ?? Infinity)
    if (most !== inPages) {
      await sql`select /* sti */ set_config('enable_seqscan', ${most ? 'on' : 'off'}, false)`
      inPages = most
    }
    const started = performance.now()
    const found = await readRange(sql, reading, range, suspectsLeft(tally))
    // Nothing is awaited from here on: a range that is tried again must not count twice.
    const rows = addRange(tally, found)
    position = range.high
    failures = 0
    if (spans !== null) {
      spans.observe(range, rows)
      const seconds = (performance.now() - started) / 1000
      if (rows > 0) size = Math.round(Math.min(MOST_ROWS, size * GROWTH, (rows / seconds) * TARGET_SECONDS))
    }
    job.passed(rows)
  }
  return await walk({
    sql,
    walked,
    from: job.from,
    to: null,
    feedback,
    async goOn() {
      if (job.replica && failures >= REPLICA_TRIES) throw new ReplicaLost()
      if (spans?.reached(position)) await spans.refresh()
      return await job.goOn(position)
    },
    retried(sqlstate) {
      failures++
      job.retried(sqlstate)
    },
    ...(spans === null
      ? {}
      : {
          next: (low) => spans.next(low, size),
          async workAtLength(range) {
            await read(range)
            return 'done'
          },
        }),
    work: read,
    async poison({ range }) {
      addRaising(tally, range.high)
      position = range.high
      job.passed(1)
    },
  }).catch((error: unknown) => {
    if (job.replica && isAway(error)) throw new ReplicaLost()
    throw error
  })
}

/** What was found, once the rows that were wrong have been looked at again. */
export function scanned(reading: Reading, tally: Tally, wrong: readonly Suspect[], replica: boolean): Scan {
  const confusion = confusionOf(tally)
  const sum = (of: (cell: ConfusionCell) => boolean): number =>
    confusion.filter(of).reduce((total, cell) => total + cell.rows, 0)
  return {
    rows: tally.rows,
    confusion,
    raising: tally.raising,
    raisingKeys: tally.raisingKeys,
    replica,
    discrepancies: sum((cell) => differs(reading, cell)),
    kept: sum((cell) => cell.actual !== cell.expected && !differs(reading, cell)),
    discrepancyKeys: samplesOf(wrong),
    unmapped: sum((cell) => cell.expected === null),
    unknownTypes: sum((cell) => cell.actual !== null && !reading.rollout.types.includes(cell.actual)),
    checksum: tally.checksum.padStart(16, '0'),
    query: quickReading(reading, { low: ['…'], high: ['…'], rows: 0 }).statement,
  }
}

/** Rows that hold the type that their legacy columns say, or that new code may have given them. Rows no type matches hold NULL as they should, which is still no type. */
export function rightRows(scan: Scan): number {
  const rightlyNull = scan.confusion.find((cell) => cell.expected === null && cell.actual === null)?.rows ?? 0
  return scan.rows - scan.discrepancies - scan.raising - rightlyNull
}

/** Rows with a correct type / all rows, rounded down; 1 only when equal. */
export function coverageOf(scan: Scan): number {
  const right = rightRows(scan)
  if (scan.rows === right) return 1
  return Math.floor((right * 1_000_000) / scan.rows) / 1_000_000
}
