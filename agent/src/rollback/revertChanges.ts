import type { Sql } from '../database/connect.ts'
import { runDdl } from '../ddl/transactional.ts'
import type { RolloutFacts, JournaledChange } from '../kind/facts.ts'
import type { RunContext } from '../kind/kind.ts'

/** Expand made the column; one that was there before is cleared instead of dropped. */
export function columnCreatedBySti(facts: RolloutFacts): boolean {
  return facts.changes.some((change) => change.kind === 'column')
}

/** A column that was there before us, and that may hold what we derived. Cleared once: what it holds later is not ours. */
export function mustClearColumn(facts: RolloutFacts): boolean {
  return facts.table?.discriminator != null && !columnCreatedBySti(facts) && facts.mayHoldDerivedValues
}

/** In reverse order of their making. Without `full` only what must go for the data's sake. */
export function changesToRevert(facts: RolloutFacts, full: boolean): JournaledChange[] {
  const index = full || columnCreatedBySti(facts) ? ['index'] : []
  // The archive of a column drop watches the column too.
  const kinds = new Set(['trigger', 'function', 'restore', 'constraint', 'not-null', 'column', 'archive', ...index])
  return facts.changes.filter((change) => kinds.has(change.kind)).reverse()
}

/**
 * One transaction. The trigger goes first, since under it a NULL comes back at once, and the constraint goes with it:
 * without the trigger the application's writes would fail on it.
 */
export async function revertChanges(run: RunContext, sql: Sql, changes: readonly JournaledChange[]): Promise<void> {
  const ids = changes.map((change) => change.id).join(', ')
  await runDdl(run, sql, {
    description: 'taking back what expand and finalize did',
    steps: [
      ...changes.map((change) => change.inverse),
      `update sti.change set reverted_at = clock_timestamp(), reverted_by = ${run.operation.id} where id in (${ids})`,
    ],
  })
  await run.failpoint('rollback.reverted')
  await run.recordEvent('ddl', 'taken back', {
    before: changes.map((change) => change.statement),
    after: changes.map((change) => change.inverse),
  })
}
