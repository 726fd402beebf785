import type { Sql } from '../database/connect.ts'
import type { Change } from './change.ts'
import type { Climb } from './climb.ts'
import type { Blames } from './failedRow.ts'
import type { Feedback } from './feedback.ts'
import type { Gate } from './goOn.ts'
import type { Run } from './kind.ts'
import type { Point } from './points.ts'
import type { Striping } from './striping.ts'

/** What may be changed while it runs. */
export interface Pace {
  readonly workers: number
  /** Rows of one transaction at most; undefined: feedback alone decides. */
  readonly batchSize: number | undefined
  readonly maximumBatchSeconds: number
  /** Every Nth batch of a lane is flushed to disk. */
  readonly checkpointInterval: number
}

/** What is written, and with whom the workers speak. */
export interface Rewrite {
  readonly run: Run
  readonly change: Change
  readonly gate: Gate
  /** A connection for one worker; whoever opened it ends it. */
  connect(): Sql
  pace(): Pace
  readonly secondaryIndexes: number
  readonly points: Readonly<Record<'lanes' | 'batch' | 'written' | 'poison' | 'laneFinished', Point>>
  /** Called between batches by every worker; what it throws ends the operation. */
  between(): Promise<void>
  passed(step: Step): void
  failed(sentence: string): void
  /** How it writes, and why, each time that changes. */
  decided(sentence: string): void
  retried(sqlstate: string): void
  readonly blames?: Blames
}

/** What a batch did: rows passed for good, written and failed. */
export interface Step {
  readonly passed: number
  readonly written: number
  readonly failed: number
  readonly batch?: { readonly rows: number; readonly seconds: number }
}

/** What the workers of one rewrite share. */
export interface Shared {
  /** Rows of a batch that fit into the time. */
  readonly feedback: Feedback
  /** Rows of a batch that are written fastest; null: somebody gave a size. */
  readonly climb: Climb | null
  readonly striping: Striping
  /** Partitions whose plan has been looked at. */
  readonly planned: Set<number>
}
