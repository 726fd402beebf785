import { createRate } from '../../engine/rate.ts'
import { rowProgress } from '../../engine/rowProgress.ts'
import type { Run } from '../../engine/kind.ts'
import type { Table } from '../../rollout/rollout.ts'

/** Rows kept, and then rows compared. */
export interface ArchiveProgress {
  begin(): void
  passed(rows: number, written: number): void
  retried(sqlstate: string): void
}

export function createArchiveProgress(run: Run, table: Table): ArchiveProgress {
  const retries: Record<string, number> = {}
  let rate = createRate()
  let processed = 0
  let writtenRows = 0
  return {
    begin() {
      processed = 0
      rate = createRate()
    },
    retried(sqlstate) {
      retries[sqlstate] = (retries[sqlstate] ?? 0) + 1
    },
    passed(rows, written) {
      processed += rows
      writtenRows += written
      rate.add(rows)
      const { estimatedRows: estimated } = table
      run.progress(
        rowProgress({ passed: processed, written: writtenRows, estimated, perSecond: rate.perSecond(), retries }),
      )
    },
  }
}
