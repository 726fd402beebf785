import { collectNodeConflicts } from '../dualWrite/nodeConflicts.ts'
import type { RunContext } from '../kind/kind.ts'
import type { Table } from '../rollout/rollout.ts'
import { clearColumn } from './clearColumn.ts'
import { compareWithOrigin, type TableOriginComparison } from './compareWithOrigin.ts'

export interface RollbackCompletion {
  readonly clearedRows: number
  readonly clearSeconds: number
  readonly origin: TableOriginComparison
}

/**
 * The last steps of a data or system rollback, after the changes are reverted: clears a column that existed before expand,
 * closes failed rows, and compares the table with its state before expand. `complete`: everything created by STI is
 * removed. Null: stopped on request.
 */
export async function finishRollback(
  run: RunContext,
  table: Table,
  { clears, complete }: { clears: boolean; complete: boolean },
): Promise<RollbackCompletion | null> {
  const startedAt = performance.now()
  const clearedRows = clears ? await clearColumn(run, table) : 0
  if (clearedRows === null) return null
  const clearSeconds = (performance.now() - startedAt) / 1000
  await run.failpoint('rollback.cleared')
  await run.database.state`
    update sti.failed_row set recovered_at = clock_timestamp() where rollout = ${run.rollout.name} and recovered_at is null`
  // Nobody visits the nodes of a rollout without changes.
  await collectNodeConflicts(run.database.state, run.rollout, table)
  await run.failpoint('rollback.settled')
  run.setStep('comparing the table with its state before expand')
  const origin = await compareWithOrigin(run, complete)
  await run.recordEvent('rollback', `table structure: ${origin.structure}; content: ${origin.content}`, {
    after: origin,
  })
  return { clearedRows, clearSeconds, origin }
}
