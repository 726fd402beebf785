import type { ValidationLayer, Verdict } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import type { Unit } from '../format/format.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { RunContext } from '../kind/kind.ts'
import type { Key } from '../engine/keys.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import type { Signals } from '../signals/signals.ts'
import type { TableScan } from './scan/scanRanges.ts'

/** One check of a validation. To add a check, write a file with one of these and add it to the list of its layer. */
export interface ValidationCheck {
  /** Stable: metrics, `sti validate --check` and reports use it. */
  readonly name: string
  readonly layer: ValidationLayer
  /** The unit of value and limit: the UI, the CLI and reports show both in it. */
  readonly unit: Unit
  /** Timeout, after which the check is inconclusive. Default 30. The table scan is not included. */
  readonly seconds?: number
  /** The check uses `context.scan()`: the table is read once for all such checks, before the first of them runs. */
  readonly needsScan?: boolean
  /**
   * Returns the finding, or null if the check does not apply to the rollout in its current state. An error becomes the
   * verdict `error`, a timeout `inconclusive`, and the other checks continue. Only an unavailable database stops the
   * validation, which resumes when the database is back.
   */
  run(context: CheckContext): Promise<CheckFinding | null>
}

export interface CheckFinding {
  readonly verdict: Verdict
  /** The measured value and its limit (a maximum, or a minimum if the detail says so), in the unit of the check. */
  readonly value: number | null
  readonly limit: number | null
  /** Rows that violate the check. Default 0. */
  readonly discrepancies?: number
  /** One sentence without a period. An inconclusive check says what is missing and what to do. */
  readonly detail: string
  /**
   * What an admin can accept of an inconclusive check, so narrow that another cause needs an acceptance of its own.
   * Default: `inconclusive`. Empty: nothing, since the detail names the setting that decides it.
   */
  readonly acceptable?: readonly string[]
  readonly sampleKeys?: readonly Key[]
  /** The SQL, PromQL or request behind the finding, for the evidence. */
  readonly query?: string
}

/** What a validation needs from the agent. */
export interface ValidationDependencies {
  readonly signals: Signals
  readonly environment: string
  /** Authorizes requests to the application that set the flag for one request (docs/flag.md). */
  readonly flagToken: string
}

/** Everything a check has access to. */
export interface CheckContext {
  readonly run: RunContext
  readonly rollout: Rollout
  readonly table: Table
  /** Read after the table scan, if there was one; `run.readFacts()` reads them again. */
  readonly facts: RolloutFacts
  readonly parts: ValidationDependencies
  /**
   * A read-only connection to the primary for this check alone, with the check's timeout as statement_timeout. Opened on
   * first use and closed after the check.
   */
  readonly sql: Sql
  /**
   * The result of the table scan.
   * @throws Error if the check does not declare `needsScan`
   */
  scan(): TableScan
  /** Aborted when the check times out. */
  readonly signal: AbortSignal
}
