import type { ValidationLayer, Verdict } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { Unit } from '../format/format.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { RunContext } from '../kind/kind.ts'
import type { Key } from '../engine/keys.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import type { Signals } from '../signals/signals.ts'
import type { TableScan } from './scan/scanRanges.ts'

/** One question of a validation. A new one is a file with one of these and a line in the list of its layer. */
export interface ValidationCheck {
  /** Stable: series, `sti validate --check` and reports name it. */
  readonly name: string
  readonly layer: ValidationLayer
  /** The unit of value and limit: the UI, the CLI and reports show both in it. */
  readonly unit: Unit
  /** The longest it may take; then it is inconclusive. Default 30. The reading of the table does not count. */
  readonly seconds?: number
  /** It asks `context.scan()`: the table is read once for all checks that do, before the first of them. */
  readonly needsScan?: boolean
  /**
   * Answers with what it found. What it throws becomes the verdict `error`, or `inconclusive` where it took too long;
   * the other checks go on. Null: it does not apply to this rollout as it stands, and is not reported. Only a database that is away stops all of them, to go on when it is back.
   */
  run(context: CheckContext): Promise<CheckFinding | null>
}

export interface CheckFinding {
  readonly verdict: Verdict
  /** The number it found, and the one it may be at most (or at least, as the detail says); in the check's unit. */
  readonly value: number | null
  readonly limit: number | null
  /** Rows that speak against it. Default 0. */
  readonly discrepancies?: number
  /** One sentence without its full stop. Of an inconclusive one: what is missing, and what to do. */
  readonly detail: string
  readonly sampleKeys?: readonly Key[]
  /** The text that was asked, for the evidence. */
  readonly query?: string
}

/** What a validation takes from the agent. */
export interface ValidationDependencies {
  readonly signals: Signals
  readonly environment: string
  /** For requests of the application with the flag on or off for one request (docs/flag.md). */
  readonly flagToken: string
}

/** All that a check gets. */
export interface CheckContext {
  readonly run: RunContext
  readonly rollout: Rollout
  readonly table: Table
  /** Read after the table was, if it was; `run.facts()` reads them anew. */
  readonly facts: RolloutFacts
  readonly parts: ValidationDependencies
  /**
   * A read-only connection of this check alone, to the primary, with its time as statement_timeout and the file's
   * search_path. Opened when it is first used, and ended with the check.
   */
  readonly sql: Sql
  /** The reading of the table. Throws for a check without `needsScan`. */
  scan(): TableScan
  /** Aborted when the check's time is over. */
  readonly signal: AbortSignal
}
