import type { Sql } from '../database/connect.ts'
import type { FailpointName } from '../kind/failpoints.ts'
import type { RunContext } from '../kind/kind.ts'
import type { ThrottleWait } from '../throttle/throttleDecision.ts'
import type { ThrottleGate } from '../throttle/throttleGate.ts'
import type { BatchSizeController } from './batchSizeController.ts'
import type { BatchSizeHillClimb } from './batchSizeHillClimb.ts'
import type { ColumnUpdate } from './columnUpdate.ts'
import type { FailedRowPredicate } from './failedRow.ts'
import type { HeldRows, HeldRowTracker } from './heldRows.ts'
import type { ShardBatchSize } from './shardBatchSize.ts'
import type { StripePolicy } from './stripePolicy.ts'

/*
 * Terminology of the engine, from large to small (docs/engine.md has the diagram):
 *
 * - Bulk update: sets one column of every row that needs it. The backfill and the data rollback are bulk updates.
 * - Leaf partition: a relation that holds rows: a partition without partitions, or the table itself.
 * - Lane: a run of pages of one leaf partition with its own position and counters, a row of `sti.lane`. A worker claims
 *   one lane at a time. Lane 0 is the operation's own lane: it covers no pages and fences what is written outside lanes.
 * - Range: the rows that a lane cuts off and writes next: a run of pages in heap order, or a counted run of keys.
 * - Stripe: some rows of every page of a range, chosen by line pointer. The stripes of a range are written one after the
 *   other, so that each finds the room that pruning the stripe before it has made (HOT updates).
 * - Part: a run of pages of a range. Each stripe is written part by part, so that a page rests between two stripes.
 * - Plain range: a range with one stripe.
 * - Batch: one UPDATE and one transaction: one part of one stripe, with its checkpoint.
 * - Checkpoint: the lane's new position and range state, committed with the rows of the batch.
 * - Range state: what of a striped range is committed, so that another agent can continue with the next batch.
 * - Fence: the condition in every batch that the writer still holds the lane: its epoch, claim, and position.
 * - Survey: counts the rows of a range before its stripes are planned. Reading its pages also prunes them.
 * - Held row: a row that another transaction has locked. Its batch writes the other rows, and the sweep waits for it.
 * - Poison row: a row that fails alone in its range. It is recorded as a failed row, and the lane passes it.
 * - Sweep: reads every row again after the lanes, and writes or records the rows that are not right.
 */

/**
 * How long a batch waits for a row, holding the rows that it has written: with them, at most as long as a batch may hold
 * its locks.
 */
export function lockTimeoutMs({ maximumBatchSeconds }: BulkUpdateTuning): number {
  return Math.max(MIN_LOCK_TIMEOUT_MS, Math.round((maximumBatchSeconds * 1000) / 2))
}

const MIN_LOCK_TIMEOUT_MS = 5

/** Parameters that can be changed while the update runs. */
export interface BulkUpdateTuning {
  readonly workers: number
  /** Maximum rows per transaction; undefined: the engine chooses the size. */
  readonly batchSize: number | undefined
  readonly maximumBatchSeconds: number
  /** Every Nth batch of a lane is flushed to disk. */
  readonly checkpointInterval: number
}

/** Everything that the workers of one operation share. Made once per run; lanes, sweep, and retries use the same job. */
export interface BulkUpdateJob {
  readonly run: RunContext
  readonly columnUpdate: ColumnUpdate
  readonly secondaryIndexCount: number
  /**
   * Order of the sweep. `heap` is correct only under the dual-write trigger, which corrects every row that moves during
   * the sweep; without the trigger, rows are read in `key` order.
   */
  readonly sweepOrder: 'heap' | 'key'
  readonly failpoints: Readonly<Record<'lanes' | 'batch' | 'written' | 'poison' | 'laneFinished', FailpointName>>
  readonly gate: ThrottleGate
  readonly hooks: BulkUpdateHooks
  readonly heldRows: HeldRowTracker
  /** Decides if a row that fails alone counts as a failed row; without it, every such row counts. */
  readonly countsAsFailedRow?: FailedRowPredicate
  /** Opens a connection for one worker. The caller closes it. */
  connect(): Sql
  tuning(): BulkUpdateTuning
}

/** What a bulk update reports to its operation. */
export interface BulkUpdateHooks {
  /** Called by every worker between two batches. An error that it throws ends the operation. */
  betweenBatches(): Promise<void>
  onProgress(progress: BatchProgress): void
  onFailedRows(message: string): void
  /** Called when the engine switches between striped and plain ranges, with the reason. */
  onStripeDecision(message: string): void
  onRetry(sqlstate: string): void
  /** Called when held rows, or what is known of them, change; null: no row is held. */
  onHeldRows(held: HeldRows | null): void
  /** Called at each throttle check with the reason to wait, or null. */
  onWait(wait: ThrottleWait): void
}

/** Rows that a batch passed for good, wrote, and recorded as failed. `passedRows` is negative if a range is discarded. */
export interface BatchProgress {
  readonly passedRows: number
  readonly writtenRows: number
  readonly failedRows: number
  readonly batch?: { readonly rows: number; readonly seconds: number }
}

/** State that the workers of one agent share. */
export interface SharedWorkerState {
  /** Largest batch that fits into `maximumBatchSeconds`. */
  readonly sizeController: BatchSizeController
  /** The same controller if the rows are in shards of Citus, else null. */
  readonly shardBatchSize: ShardBatchSize | null
  /** Batch size with the highest throughput; null if `batchSize` is set, and in shards, where the largest is the fastest. */
  readonly hillClimb: BatchSizeHillClimb | null
  readonly stripePolicy: StripePolicy
  /** OIDs of the partitions whose query plan has been checked. */
  readonly checkedPartitions: Set<number>
}
