import type { EndedState, OperationProgress } from '../contract/index.ts'
import type { OperationRow } from './operationRow.ts'

/** What runs tells the rest of the agent as it happens; metrics listen, and what follows a failure. */
export interface OperationObserver {
  progressReported(row: OperationRow, progress: OperationProgress): void
  batchWritten(row: OperationRow, seconds: number, rows: number): void
  operationEnded(row: OperationRow, state: EndedState, result: Record<string, unknown> | null): void
}
