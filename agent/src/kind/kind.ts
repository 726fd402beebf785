import type { Actor, OperationKind, OperationPreview, OperationProgress } from '../contract/index.ts'
import type { Database } from '../database/connect.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import type { RolloutFacts } from './facts.ts'
import type { FailpointHook } from './failpoints.ts'
import type { ThrottleReadings } from '../signals/throttleReadings.ts'

/** The implementation of one kind of operation. Its declaration is in contract/kinds.ts. */
export interface OperationDefinition<Kind extends OperationKind = OperationKind> {
  readonly kind: Kind
  /**
   * Why the operation cannot start, one sentence per reason. Checked when it is requested, and again when an agent
   * claims it.
   */
  refusals(facts: RolloutFacts, parameters: Record<string, unknown>): string[]
  /**
   * Like `refusals`, for what only a query to the database or to Prometheus shows: checked when the operation is requested
   * or previewed.
   */
  requestRefusals?(context: PreviewContext, parameters: Record<string, unknown>): Promise<string[]>
  /** True if all that the operation would revert is already reverted; `refusals` then has a sentence that says so. */
  nothingToRollBack?(facts: RolloutFacts, parameters: Record<string, unknown>): boolean
  /** What it would do, in numbers. Read-only; called even if the operation is refused. */
  preview(context: PreviewContext, parameters: Record<string, unknown>): Promise<Partial<OperationPreview>>
  /**
   * Does the work, starting from its state in the database: it is called again after a crash, a pause, or a lost
   * connection. Returns at a safe point.
   */
  run(run: RunContext): Promise<RunOutcome>
  /**
   * Writes part of an operation that another agent holds. Called on any number of agents while `run` works on its
   * holder; returns when nothing is left to claim, or at a safe point.
   */
  runHelper?(run: RunContext): Promise<void>
}

/** The rollback of one scope, which knows when there is nothing left to roll back. */
export type ScopeRollback = OperationDefinition<'rollback'> & Required<Pick<OperationDefinition, 'nothingToRollBack'>>

/** The implementation of every kind: a missing one does not compile. */
export type OperationDefinitions = { readonly [K in OperationKind]: OperationDefinition<K> }

export interface PreviewContext {
  readonly database: Database
  readonly rollout: Rollout
  readonly table: Table
  readonly facts: RolloutFacts
}

export type RunOutcome =
  { readonly outcome: 'succeeded'; readonly result: Record<string, unknown> } | { readonly outcome: 'stopped' }

/** The request to a running operation, by a person or by the loss of its lease. */
export type Directive = 'continue' | 'pause' | 'cancel' | 'lost'

/** Epoch and random claim id of the holder of an operation; DDL starts by checking them. */
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
  /** Parameters at the claim; `parameters()` of the run returns the current ones. */
  readonly parameters: Record<string, unknown>
  /** Progress saved by the last holder. */
  readonly progress: OperationProgress | null
}

/** The context of a running operation. */
export interface RunContext {
  readonly agent: string
  readonly operation: RunningOperation
  readonly claim: OperationClaim
  readonly rollout: Rollout
  readonly database: Database
  readonly pressure: ThrottleReadings
  /** The current parameters; they can be tuned while the operation runs. */
  parameters(): Record<string, unknown>
  directive(): Directive
  /** Reads the facts of the rollout again. */
  readFacts(): Promise<RolloutFacts>
  /** Sets the current step, shown to people; saved with the next heartbeat. */
  setStep(text: string): void
  /** True while the operation waits for others: that time does not count as work. The throttle gate sets it, too. */
  setWaiting(waiting: boolean): void
  reportProgress(progress: OperationProgress): void
  recordEvent(
    kind: string,
    message: string,
    details?: { before?: unknown; after?: unknown; actor?: Actor },
  ): Promise<void>
  /** Reports a batch to the metrics. */
  observeBatch(seconds: number, rows: number): void
  turnFlagOff(reason: string): Promise<void>
  /** Called between any two statements; does nothing in production. */
  readonly failpoint: FailpointHook
}
