import type { EndedState, OperationProgress } from '../contract/index.ts'
import type { OperationRow } from './operationRow.ts'

/** Receives what happens during runs; the metrics listen. */
export interface OperationObserver {
  progressReported(row: OperationRow, progress: OperationProgress): void
  batchWritten(row: OperationRow, seconds: number, rows: number): void
  operationEnded(row: OperationRow, state: EndedState, result: Record<string, unknown> | null): void
}
