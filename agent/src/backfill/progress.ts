import type { Progress } from '../contract/index.ts'
import type { Run } from '../engine/kind.ts'
import type { LaneTotals } from '../engine/lanes.ts'
import { createRate } from '../engine/rate.ts'
import type { Step } from '../engine/job.ts'

/** What a backfill tells while it runs: exact counts of rows, and the rate over the last seconds. */
export interface BackfillProgress {
  /** Rows that were passed in one step, with what became of them. */
  moved(step: Step): void
  retried(sqlstate: string): void
  waits(why: string | null): void
  /** What all agents have done, as the lanes say. */
  read(totals: LaneTotals): void
  /** The whole table was counted: from then on these are the numbers. */
  counted(rows: number, failed: number): void
  report(): void
  readonly total: number
  readonly batches: number
}

/** Shown while the sweep has not proved that nothing is left. */
const ALMOST = 0.9999

/** `shared`: other agents may write as well, so that rows are counted by what the lanes say, not by what we write. */
export function createBackfillProgress(run: Run, before: LaneTotals, rows: number, shared: boolean): BackfillProgress {
  const rate = createRate()
  const retries: Record<string, number> = { ...run.operation.progress?.retries }
  let passed = before.passed
  let written = before.written
  let failed = before.failed
  let batches = before.batches
  let total = rows
  let swept = rows === 0
  let waiting: string | null = null
  let last: { rows: number; seconds: number } | null = null

  const report = (): void => {
    // A row that was moved by its own batch may be met again further on: until the sweep has counted, no more than all.
    const right = Math.max(0, Math.min(passed, total) - failed)
    const ratio = right === total ? 1 : Math.floor((right * 10_000) / total) / 10_000
    const perSecond = rate.perSecond()
    const progress: Progress = {
      processedRows: right,
      writtenRows: written,
      failedRows: failed,
      totalRows: total,
      ratio: swept ? ratio : Math.min(ratio, ALMOST),
      rowsPerSecond: perSecond,
      remainingSeconds: passed >= total ? 0 : perSecond ? (total - passed) / perSecond : null,
      batchRows: last?.rows ?? null,
      batchSeconds: last?.seconds ?? null,
      throttled: waiting,
      retries: { ...retries },
    }
    run.progress(progress)
  }
  return {
    moved(step) {
      if (step.batch !== undefined) last = step.batch
      if (shared) return
      passed += step.passed
      written += step.written
      failed += step.failed
      rate.add(Math.max(0, step.passed))
      if (step.batch !== undefined) batches++
      report()
    },
    read(totals) {
      rate.add(Math.max(0, totals.passed - passed))
      ;({ passed, written, failed, batches } = totals)
      report()
    },
    retried(sqlstate) {
      retries[sqlstate] = (retries[sqlstate] ?? 0) + 1
      report()
    },
    waits(why) {
      if (why === null && waiting === null) return
      waiting = why
      report()
    },
    counted(rowsNow, failedNow) {
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
