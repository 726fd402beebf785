import type { Sql } from '../database/connect.ts'
import type { ColumnUpdate } from './columnUpdate.ts'
import type { BatchSizeHillClimb } from './batchSizeHillClimb.ts'
import type { FailedRowPredicate } from './failedRow.ts'
import type { BatchSizeController } from './batchSizeController.ts'
import type { ThrottleGate } from '../throttle/throttleGate.ts'
import type { RunContext } from '../kind/kind.ts'
import type { FailpointName } from '../kind/failpoints.ts'
import type { StripePolicy } from './stripePolicy.ts'

/** What may be changed while it runs. */
export interface BulkUpdateTuning {
  readonly workers: number
  /** Rows of one transaction at most; undefined: feedback alone decides. */
  readonly batchSize: number | undefined
  readonly maximumBatchSeconds: number
  /** Every Nth batch of a lane is flushed to disk. */
  readonly checkpointInterval: number
}

/** What is written, and with whom the workers speak. */
export interface BulkUpdateJob {
  readonly run: RunContext
  readonly columnUpdate: ColumnUpdate
  readonly gate: ThrottleGate
  /** A connection for one worker; whoever opened it ends it. */
  connect(): Sql
  tuning(): BulkUpdateTuning
  readonly secondaryIndexCount: number
  readonly failpoints: Readonly<Record<'lanes' | 'batch' | 'written' | 'poison' | 'laneFinished', FailpointName>>
  /** Called between batches by every worker; what it throws ends the operation. */
  betweenBatches(): Promise<void>
  onProgress(step: BatchProgress): void
  onFailedRows(sentence: string): void
  /** How it writes, and why, each time that changes. */
  onStripeDecision(sentence: string): void
  onRetry(sqlstate: string): void
  readonly countsAsFailedRow?: FailedRowPredicate
}

/** What a batch did: rows passed for good, written and failed. */
export interface BatchProgress {
  readonly passedRows: number
  readonly writtenRows: number
  readonly failedRows: number
  readonly batch?: { readonly rows: number; readonly seconds: number }
}

/** What the workers of one rewrite share. */
export interface SharedWorkerState {
  /** Rows of a batch that fit into the time. */
  readonly sizeController: BatchSizeController
  /** Rows of a batch that are written fastest; null: somebody gave a size. */
  readonly hillClimb: BatchSizeHillClimb | null
  readonly stripePolicy: StripePolicy
  /** Partitions whose plan has been looked at. */
  readonly checkedPartitions: Set<number>
}
