import type { OperationProgress } from '../contract/index.ts'

export interface RowCounts {
  readonly passed: number
  readonly written?: number
  /** Rows in the table, estimated; null: unknown. */
  readonly estimated: number | null
  readonly perSecond: number | null
  readonly batchRows?: number | null
  readonly batchSeconds?: number | null
  readonly retries?: Readonly<Record<string, number>>
}

/** Progress of a walk in which no row can fail. */
export function rowProgress({ passed, written = 0, estimated, perSecond, ...rest }: RowCounts): OperationProgress {
  const total = Math.max(passed, Math.round(estimated ?? 0))
  return {
    processedRows: passed,
    writtenRows: written,
    failedRows: 0,
    totalRows: total,
    ratio: total === passed ? 1 : Math.floor((passed * 10_000) / total) / 10_000,
    rowsPerSecond: perSecond,
    remainingSeconds: remainingSeconds(total - passed, perSecond),
    batchRows: rest.batchRows ?? null,
    batchSeconds: rest.batchSeconds ?? null,
    throttled: null,
    retries: { ...rest.retries },
  }
}

function remainingSeconds(rows: number, perSecond: number | null): number | null {
  if (rows === 0) return 0
  return perSecond ? rows / perSecond : null
}
