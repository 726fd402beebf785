import type { HeldRowsProgress, OperationProgress } from '../contract/index.ts'
import type { RunContext } from '../kind/kind.ts'
import type { LaneTotals } from '../engine/operationLanes.ts'
import { createThroughputMeter } from '../engine/throughput.ts'
import type { BatchProgress } from '../engine/bulkUpdateJob.ts'

/** Progress of a running backfill: exact row counts and the rate of the last seconds. */
export interface BackfillProgress {
  addBatch(step: BatchProgress): void
  addRetry(sqlstate: string): void
  setWait(reason: string | null): void
  setHeldRows(held: HeldRowsProgress | null): void
  /** Sets the counts of all agents, read from the lanes. */
  setLaneTotals(totals: LaneTotals): void
  /** Sets the counts of the sweep, which read every row. */
  setFinalCounts(rows: number, failed: number): void
  report(): void
  readonly total: number
  readonly batches: number
}

/** Maximum ratio before the sweep has found no rows left. */
const MAX_UNSWEPT_RATIO = 0.9999

/** `shared`: other agents may write too, so rows are counted from the lanes instead of from this agent's batches. */
export function createBackfillProgress(
  run: RunContext,
  initialTotals: LaneTotals,
  rows: number,
  shared: boolean,
): BackfillProgress {
  const throughput = createThroughputMeter()
  const retries: Record<string, number> = { ...run.operation.progress?.retries }
  let passed = initialTotals.passed
  let written = initialTotals.written
  let failed = initialTotals.failed
  let batches = initialTotals.batches
  let total = rows
  let swept = rows === 0
  let waitReason: string | null = null
  let held: HeldRowsProgress | null = null
  let lastBatch: { rows: number; seconds: number } | null = null

  const report = (): void => {
    // A row that its own batch moved may be passed twice, so the count is capped until the sweep has counted.
    const correctRows = Math.max(0, Math.min(passed, total) - failed)
    const ratio = correctRows === total ? 1 : Math.floor((correctRows * 10_000) / total) / 10_000
    const perSecond = throughput.perSecond()
    const progress: OperationProgress = {
      processedRows: correctRows,
      writtenRows: written,
      failedRows: failed,
      totalRows: total,
      ratio: swept ? ratio : Math.min(ratio, MAX_UNSWEPT_RATIO),
      rowsPerSecond: perSecond,
      remainingSeconds: passed >= total ? 0 : perSecond ? (total - passed) / perSecond : null,
      batchRows: lastBatch?.rows ?? null,
      batchSeconds: lastBatch?.seconds ?? null,
      throttled: waitReason,
      held,
      retries: { ...retries },
    }
    run.reportProgress(progress)
  }
  return {
    addBatch(step) {
      if (step.batch !== undefined) lastBatch = step.batch
      if (shared) return
      passed += step.passedRows
      written += step.writtenRows
      failed += step.failedRows
      throughput.add(Math.max(0, step.passedRows))
      if (step.batch !== undefined) batches++
      report()
    },
    setLaneTotals(totals) {
      throughput.add(Math.max(0, totals.passed - passed))
      ;({ passed, written, failed, batches } = totals)
      report()
    },
    addRetry(sqlstate) {
      retries[sqlstate] = (retries[sqlstate] ?? 0) + 1
      report()
    },
    setWait(reason) {
      if (reason === null && waitReason === null) return
      waitReason = reason
      report()
    },
    setHeldRows(heldNow) {
      held = heldNow
      report()
    },
    setFinalCounts(rowsNow, failedNow) {
      passed = rowsNow
      total = rowsNow
      swept = true
      failed = failedNow
      report()
    },
    report,
    get total() {
      return Math.max(total, passed)
    },
    get batches() {
      return batches
    },
  }
}
