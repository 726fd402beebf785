import { createThroughputMeter } from '../../engine/throughput.ts'
import { rowProgress } from '../../engine/rowProgress.ts'
import type { RunContext } from '../../kind/kind.ts'
import type { Table } from '../../rollout/rollout.ts'

/** Progress of an archive run: rows copied, then rows compared. */
export interface ArchiveProgress {
  reset(): void
  addRows(rows: number, written: number): void
  addRetry(sqlstate: string): void
}

export function createArchiveProgress(run: RunContext, table: Table): ArchiveProgress {
  const retries: Record<string, number> = {}
  let rate = createThroughputMeter()
  let processed = 0
  let writtenRows = 0
  return {
    reset() {
      processed = 0
      rate = createThroughputMeter()
    },
    addRetry(sqlstate) {
      retries[sqlstate] = (retries[sqlstate] ?? 0) + 1
    },
    addRows(rows, written) {
      processed += rows
      writtenRows += written
      rate.add(rows)
      const { estimatedRows: estimated } = table
      run.reportProgress(
        rowProgress({ passed: processed, written: writtenRows, estimated, perSecond: rate.perSecond(), retries }),
      )
    },
  }
}
