import type { Sql } from '../database/connect.ts'
import { errorCode, classifyError, isLockTimeout, errorMessage } from '../database/errors.ts'
import { observeBlockers, type LockHolder } from '../database/lockHolders.ts'
import type { BatchSizeController } from './batchSizeController.ts'
import type { Key } from './keys.ts'
import { createRetryBackoff } from './retryBackoff.ts'
import { readNextRange, type KeyRange, type KeyedTable } from './keyRange.ts'

/** A row that fails alone in its range. */
export interface PoisonRow {
  readonly range: KeyRange
  readonly sqlstate: string
  readonly message: string
}

/** `again`: the range is not complete, or must be cut again. */
export type RangeOutcome = 'done' | 'again' | 'stopped'

export interface RangeWalk {
  readonly sql: Sql
  readonly target: KeyedTable
  readonly from: Key | null
  readonly to: Key | null
  readonly sizeController: BatchSizeController
  /** Called between batches: waits while throttled; false ends the walk at this safe point. */
  mayContinue(): Promise<boolean>
  /**
   * The next range after `low`, for walks that do not cut ranges by counting rows along the key. Its row count may be an
   * estimate, but must be more than 1.
   */
  readonly nextEstimatedRange?: ((low: Key | null) => KeyRange | null) | undefined
  /** Processes an estimated range, or the next batch of it. */
  processEstimatedRange?(range: KeyRange): Promise<RangeOutcome>
  /** Processes a counted range in one transaction. */
  processCountedRange(range: KeyRange): Promise<void>
  handlePoisonRow(row: PoisonRow): Promise<void>
  onRetry(sqlstate: string): void
  /** Null: nobody is told who holds a lock. */
  readonly lockWaits: LockWaitHooks | null
}

/** What happens when a range fails because it waits for a lock or is part of a deadlock. It is processed again. */
export interface LockWaitHooks {
  /** Reads the holders of locks. */
  readonly observer: Sql
  onConflict?(range: KeyRange | null): void | Promise<void>
  /** Called while the range waits again, with the holders of the lock; empty: it has its locks. */
  onBlockers(holders: readonly LockHolder[]): void | Promise<void>
}

/** Rows that failed together. They are processed in smaller counted ranges until all of them are passed. */
interface SuspectRows {
  readonly until: Key
  readonly batchRows: number
  readonly timeouts: number
}

/** A timeout is seldom the fault of a row, so halving stops here. */
const MAX_TIMEOUT_HALVINGS = 5

/**
 * Walks from `from` to `to` in ranges. A range that fails because of a row is halved until that row is alone. Transient
 * errors are retried with growing, jittered delays; after a lock conflict, the first retry follows at once, and the
 * holders of the lock are read while it waits. Returns false if the walk was asked to stop.
 * @throws every other error (see createRetryBackoff)
 */
export async function walkRanges(job: RangeWalk): Promise<boolean> {
  const backoff = createRetryBackoff(job.sql, job.onRetry)
  let low = job.from
  let suspect: SuspectRows | null = null as SuspectRows | null
  let poisonRow: PoisonRow | null = null
  let lockConflicts = 0
  const observed = <T>(work: () => Promise<T>): Promise<T> =>
    lockConflicts === 0 || job.lockWaits === null
      ? work()
      : observeBlockers(job.lockWaits.observer, job.sql, work, job.lockWaits.onBlockers)
  const endLockConflict = async (): Promise<void> => {
    if (lockConflicts > 0) await job.lockWaits?.onBlockers([])
    lockConflicts = 0
  }
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
        range = job.nextEstimatedRange(low)
        if (range === null) return true
        const estimated = range
        const outcome = await observed(() => job.processEstimatedRange!(estimated))
        await endLockConflict()
        if (outcome === 'stopped') return false
        if (outcome === 'again') continue
      } else {
        const size = Math.min(job.sizeController.size(), suspect?.batchRows ?? Infinity)
        range = await observed(() => readNextRange(job.sql, job.target, low, suspect?.until ?? job.to, size))
        if (range === null && suspect !== null) {
          low = suspect.until
          suspect = null
          continue
        }
        if (range === null) return true
        const counted = range
        await observed(() => job.processCountedRange(counted))
        await endLockConflict()
        if (suspect === null) job.sizeController.observe(range.rows, seconds())
      }
    } catch (error) {
      if (isLockTimeout(error) || errorCode(error) === '40P01') {
        await job.lockWaits?.onConflict?.(range)
        if (++lockConflicts === 1) {
          job.onRetry(errorCode(error)!)
          continue
        }
      }
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
