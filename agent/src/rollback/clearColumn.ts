import type { Sql } from '../database/connect.ts'
import { onlyRow } from '../database/onlyRow.ts'
import { formatQuantity } from '../format/format.ts'
import type { ColumnUpdate } from '../engine/columnUpdate.ts'
import { classifyError } from '../database/errors.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'
import type { FailedRowPredicate } from '../engine/failedRow.ts'
import { createThrottleGate } from '../throttle/throttleGate.ts'
import type { RunContext } from '../kind/kind.ts'
import { claimOperationLane } from '../engine/lane.ts'
import { readLaneTotals } from '../engine/operationLanes.ts'
import { rangeCondition } from '../engine/keyRange.ts'
import { createThroughputMeter } from '../engine/throughput.ts'
import { rowProgress } from '../engine/rowProgress.ts'
import {
  lockTimeoutMs,
  type BulkUpdateHooks,
  type BulkUpdateJob,
  type BulkUpdateTuning,
} from '../engine/bulkUpdateJob.ts'
import { createHeldRowMessages, createHeldRowTracker } from '../engine/heldRows.ts'
import { runBulkUpdate } from '../engine/bulkUpdate.ts'
import { sweepOnce } from '../engine/sweep.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'

const CLEAR_TUNING: BulkUpdateTuning = {
  workers: 2,
  batchSize: undefined,
  maximumBatchSeconds: 0.1,
  checkpointInterval: 100,
}

/**
 * Sets a column that existed before expand back to NULL in rows that still hold the derived value; values written by
 * others are kept. Runs in lanes with the fence and checkpoints of a backfill, followed by one sweep along the key, since
 * a row may move past the lanes once the trigger is gone. Runs only once, since matching values written later belong to
 * others. A row that cannot be written is recorded as a failed row, and the rest continues.
 * Returns the number of cleared rows, or null if stopped on request.
 */
export async function clearColumn(run: RunContext, table: Table): Promise<number | null> {
  const { operation, database } = run
  const lane = await claimOperationLane(database.state, operation.id, run.agent)
  const step = createStep(run)
  const job = createClearJob(run, table, await createClearHooks(run, table.estimatedRows, step))
  step.show({ phase: 'clearing the column' })
  if (!(await runBulkUpdate(job))) return null
  step.show({ phase: 'sweeping for rows that still have a type' })
  if ((await sweepOnce(job, lane)) === null) return null
  await refuseRowsLeft(run)
  return (await readLaneTotals(database.state, operation.id)).written
}

function createClearJob(run: RunContext, table: Table, hooks: BulkUpdateHooks): BulkUpdateJob {
  const { rollout, operation, database } = run
  return {
    run,
    hooks,
    heldRows: createHeldRowTracker((held) => hooks.onHeldRows(held)),
    columnUpdate: clearColumnUpdate(rollout, table),
    secondaryIndexCount: table.secondaryIndexes.length,
    sweepOrder: 'key',
    countsAsFailedRow: holdsDerivedValue(rollout),
    gate: createThrottleGate(run, (wait) => hooks.onWait(wait)),
    tuning: () => CLEAR_TUNING,
    failpoints: {
      lanes: 'rollback.lanes',
      batch: 'rollback.clear',
      written: 'rollback.clear-written',
      poison: 'rollback.clear-failed',
      laneFinished: 'rollback.lane-finished',
    },
    connect: () =>
      database.engine({
        purpose: `rollback ${operation.id}`,
        searchPath: table.triggerSearchPath,
        statementTimeoutMs: 30_000,
        avoidSeqScan: true,
        inShards: table.citus !== null,
        lockTimeoutMs: lockTimeoutMs(CLEAR_TUNING),
      }),
  }
}

interface ClearStepParts {
  readonly phase: string
  /** Null: no row is held. */
  readonly held: string | null
  /** Null: the operation is not throttled. */
  readonly wait: string | null
}

/** The step of the operation: why it waits, else which rows are held, else its phase. */
interface ClearStep {
  show(change: Partial<ClearStepParts>): void
}

function createStep(run: RunContext): ClearStep {
  let parts: ClearStepParts = { phase: '', held: null, wait: null }
  return {
    show(change) {
      parts = { ...parts, ...change }
      run.setStep(parts.wait ?? parts.held ?? parts.phase)
    },
  }
}

async function createClearHooks(run: RunContext, estimated: number | null, step: ClearStep): Promise<BulkUpdateHooks> {
  const throughput = createThroughputMeter()
  const retries: Record<string, number> = {}
  const pendingEvents: { kind: 'striping' | 'held'; message: string }[] = []
  const heldRowMessage = createHeldRowMessages()
  let { passed, written } = await readLaneTotals(run.database.state, run.operation.id)
  return {
    async betweenBatches() {
      for (const { kind, message } of pendingEvents.splice(0)) await run.recordEvent(kind, message)
    },
    onProgress({ passedRows, writtenRows, batch }) {
      passed += passedRows
      written += writtenRows
      throughput.add(Math.max(0, passedRows))
      run.reportProgress(
        rowProgress({
          passed,
          written,
          estimated,
          perSecond: throughput.perSecond(),
          batchRows: batch?.rows ?? null,
          batchSeconds: batch?.seconds ?? null,
          retries,
        }),
      )
    },
    onFailedRows: () => undefined,
    onStripeDecision: (message) => pendingEvents.push({ kind: 'striping', message }),
    onRetry: (sqlstate) => (retries[sqlstate] = (retries[sqlstate] ?? 0) + 1),
    onHeldRows(held) {
      const message = heldRowMessage(held)
      if (message === null) return
      step.show({ held: held === null ? null : message })
      pendingEvents.push({ kind: 'held', message })
    },
    onWait: (wait) => step.show({ wait: wait && `waiting: ${wait.sentence}` }),
  }
}

function clearColumnUpdate(rollout: Rollout, table: Table): ColumnUpdate {
  const typeColumn = `t.${rollout.discriminator.sql}`
  return {
    rollout: rollout.name,
    key: table.key,
    column: rollout.discriminator.sql,
    value: 'null',
    unmapped: null,
    inShards: table.citus && { nodes: table.citus.nodes, lockTimeoutMs: () => lockTimeoutMs(CLEAR_TUNING) },
    needsUpdate: `${typeColumn} is not null and ${typeColumn} is not distinct from ${rollout.derive('t')}`,
  }
}

/** If the expression raises an error, STI derived nothing, so the value belongs to others. */
function holdsDerivedValue(rollout: Rollout): FailedRowPredicate {
  return async (sql: Sql, walked, range) => {
    const { condition, values } = rangeCondition(walked, range, 1)
    try {
      const rows = await sql.unsafe<{ holds: boolean }[]>(
        `select exists (select from ${walked.table.sql} as t
           where ${condition} and t.${rollout.discriminator.sql} = ${rollout.derive('t')}) as holds`,
        values,
      )
      return onlyRow(rows).holds
    } catch (error) {
      if (classifyError(error) === 'row') return false
      throw error
    }
  }
}

async function refuseRowsLeft({ database, rollout, operation }: RunContext): Promise<void> {
  const [failed] = await database.state<{ rows: number }[]>`
    select count(*)::int as rows from sti.failed_row
    where rollout = ${rollout.name} and operation_id = ${operation.id} and recovered_at is null`
  if (failed!.rows === 0) return
  throw new OperationFailedError(
    'rows-left',
    `${formatQuantity(failed!.rows, 'row')} could not be cleared and still ${failed!.rows === 1 ? 'has' : 'have'} a type; everything else is rolled back. Fix what prevents the writes (see the failed rows), then roll back again.`,
  )
}
