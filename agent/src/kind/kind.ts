import type { Actor, OperationKind, OperationPreview, OperationProgress } from '../contract/index.ts'
import type { Database } from '../database/connect.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import type { RolloutFacts } from './facts.ts'
import type { FailpointHook } from './failpoints.ts'
import type { ThrottleReadings } from '../signals/throttleReadings.ts'

/** One kind of operation. A new kind is one room with one of these, named in main.ts. */
export interface OperationDefinition {
  readonly kind: OperationKind
  /** At most one operation that does runs per rollout. */
  readonly writesTable: boolean | ((parameters: Record<string, unknown>) => boolean)
  /** What would have to be true first. Asked at the request, and again when an agent claims the operation. */
  refusals(facts: RolloutFacts, parameters: Record<string, unknown>): string[]
  /** What it would do, in numbers. Reads only; asked for a preview, whether it is allowed or not. */
  preview(context: PreviewContext, parameters: Record<string, unknown>): Promise<Partial<OperationPreview>>
  /**
   * Does the work from wherever its state in the database says it stands: it is called again after a crash, a pause
   * or a lost connection. Returns at a safe point.
   */
  run(run: RunContext): Promise<RunOutcome>
  /**
   * Writes a part of an operation that another agent holds and that offers it. Called on any number of agents while
   * `run` is at work elsewhere; returns when there is nothing left to take, or at a safe point.
   */
  runHelper?(run: RunContext): Promise<void>
}

export interface PreviewContext {
  readonly database: Database
  readonly rollout: Rollout
  readonly table: Table
  readonly facts: RolloutFacts
}

export type RunOutcome =
  { readonly outcome: 'succeeded'; readonly result: Record<string, unknown> } | { readonly outcome: 'stopped' }

/** What a person, or the loss of the lease, asks of a running operation. */
export type Directive = 'go-on' | 'pause' | 'cancel' | 'lost'

/** Epoch and random claim id of whoever holds the operation: DDL begins by checking them. */
export interface OperationClaim {
  readonly id: bigint
  readonly epoch: bigint
  readonly claim: string
}

export interface RunningOperation {
  readonly id: bigint
  readonly kind: OperationKind
  readonly rollout: string
  readonly actor: Actor
  readonly reason: string | null
  /** As they were when it was claimed; `parameters()` of the run gives them as they are now. */
  readonly parameters: Record<string, unknown>
  /** As the last holder left it. */
  readonly progress: OperationProgress | null
}

/** All that a running operation gets. */
export interface RunContext {
  readonly agent: string
  readonly operation: RunningOperation
  readonly claim: OperationClaim
  readonly rollout: Rollout
  readonly database: Database
  readonly pressure: ThrottleReadings
  /** The parameters as they are now: they can be tuned while it runs. */
  parameters(): Record<string, unknown>
  directive(): Directive
  /** Reads the state of rollout and table anew. */
  readFacts(): Promise<RolloutFacts>
  /** What it does now, for people; saved with the next heartbeat. */
  setStep(text: string): void
  reportProgress(progress: OperationProgress): void
  recordEvent(
    kind: string,
    message: string,
    details?: { before?: unknown; after?: unknown; actor?: Actor },
  ): Promise<void>
  /** Observed by the metrics. */
  observeBatch(seconds: number, rows: number): void
  turnFlagOff(reason: string): Promise<void>
  /** Called between any two statements. Does nothing by default; tests kill the process there. */
  readonly failpoint: FailpointHook
}
