import type { Sql } from '../database/connect.ts'
import { errorCode, classifyError, errorMessage } from '../database/errors.ts'
import type { BatchSizeController } from './batchSizeController.ts'
import type { Key } from './keys.ts'
import { createRetryBackoff } from './retryBackoff.ts'
import { readNextRange, type KeyRange, type KeyedTable } from './keyRange.ts'

/** A row that could not be worked on, alone in its range. */
export interface PoisonRow {
  readonly range: KeyRange
  readonly sqlstate: string
  readonly message: string
}

export interface RangeWalk {
  readonly sql: Sql
  readonly target: KeyedTable
  readonly from: Key | null
  readonly to: Key | null
  readonly sizeController: BatchSizeController
  /** Called between batches: waits while throttled; false ends the walk at this safe point. */
  mayContinue(): Promise<boolean>
  /**
   * The next range after `low`, where ranges are not cut by counting rows along the key. Its rows may be estimated, but
   * are above 1 then.
   */
  nextEstimatedRange?(low: Key | null): KeyRange | null
  /** The work on a range of `next`, in any number of transactions; `again`: it is to be cut anew. */
  processEstimatedRange?(range: KeyRange): Promise<'done' | 'again' | 'stopped'>
  /** The work on a counted range, in one transaction. */
  processCountedRange(range: KeyRange): Promise<void>
  handlePoisonRow(row: PoisonRow): Promise<void>
  onRetry(sqlstate: string): void
}

/** Rows that failed together: they are taken in smaller pieces, counted, until they are passed. */
interface SuspectRows {
  readonly until: Key
  /** Rows to take at once, and when that is enough again: then they are suspect no more. */
  readonly batchRows: number
  readonly timeouts: number
}

/** How often rows are halved because of a time-out, which is seldom their fault. */
const MAX_TIMEOUT_HALVINGS = 5

/**
 * Walks from `from` to `to` in ranges. A range that fails by a row's fault is halved until that row is alone; what
 * passes by itself is tried again with growing pauses and jitter. Returns false when it was asked to stop. Throws what
 * cannot be worked round (see faultOf).
 */
export async function walkRanges(job: RangeWalk): Promise<boolean> {
  const backoff = createRetryBackoff(job.sql, job.onRetry)
  let low = job.from
  let suspect: SuspectRows | null = null as SuspectRows | null
  let poisonRow: PoisonRow | null = null
  for (;;) {
    if (!(await job.mayContinue())) return false
    const started = performance.now()
    const seconds = (): number => (performance.now() - started) / 1000
    let range: KeyRange | null = null
    const isEstimated =
      suspect === null && job.nextEstimatedRange !== undefined && job.processEstimatedRange !== undefined
    try {
      if (poisonRow !== null) {
        range = poisonRow.range
        await job.handlePoisonRow(poisonRow)
        poisonRow = null
      } else if (isEstimated) {
        range = job.nextEstimatedRange!(low)
        if (range === null) return true
        const outcome = await job.processEstimatedRange!(range)
        if (outcome === 'stopped') return false
        if (outcome === 'again') continue
      } else {
        const size = Math.min(job.sizeController.size(), suspect?.batchRows ?? Infinity)
        range = await readNextRange(job.sql, job.target, low, suspect?.until ?? job.to, size)
        if (range === null && suspect !== null) {
          low = suspect.until
          suspect = null
          continue
        }
        if (range === null) return true
        await job.processCountedRange(range)
        if (suspect === null) job.sizeController.observe(range.rows, seconds())
      }
    } catch (error) {
      const errorClass = classifyError(error)
      const canHalve =
        errorClass === 'row' || (errorClass === 'cancelled' && (suspect?.timeouts ?? 0) < MAX_TIMEOUT_HALVINGS)
      if (poisonRow !== null || range === null || !canHalve) {
        await backoff.waitOrThrow(error)
        continue
      }
      if (errorClass === 'row' && !isEstimated && range.rows === 1) {
        poisonRow = { range, sqlstate: errorCode(error) ?? 'unknown', message: errorMessage(error) }
        continue
      }
      if (errorClass === 'cancelled') {
        job.onRetry(errorCode(error) ?? 'unknown')
        if (!isEstimated) job.sizeController.observe(range.rows, seconds())
      }
      suspect = {
        until: suspect?.until ?? range.high,
        batchRows: Math.max(1, Math.floor(Math.min(range.rows, job.sizeController.size()) / 2)),
        timeouts: (suspect?.timeouts ?? 0) + (errorClass === 'cancelled' ? 1 : 0),
      }
      continue
    }
    backoff.reset()
    low = range.high
    if (suspect !== null)
      suspect = { ...suspect, batchRows: Math.min(job.sizeController.size(), suspect.batchRows * 2) }
  }
}
