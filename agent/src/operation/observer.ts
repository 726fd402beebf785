import type { Progress } from '../contract/index.ts'
import type { OperationRow } from './row.ts'

/** What runs tells the rest of the agent as it happens; metrics listen, and what follows a failure. */
export interface Observer {
  progressed(row: OperationRow, progress: Progress): void
  batch(row: OperationRow, seconds: number, rows: number): void
  ended(row: OperationRow, state: 'succeeded' | 'failed' | 'cancelled', result: Record<string, unknown> | null): void
}
