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
 * What data and system end with once the changes are taken back: a column that was there before is cleared, no failed
 * row is owed any more, and the table is compared with what expand found. `complete`: all that is ours is gone.
 * Null: it was asked to stop.
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
  await run.failpoint('rollback.settled')
  run.setStep('comparing with what was there before expand')
  const origin = await compareWithOrigin(run, complete)
  await run.recordEvent('rollback', `${origin.structure}; content: ${origin.content}`, { after: origin })
  return { clearedRows, clearSeconds, origin }
}
