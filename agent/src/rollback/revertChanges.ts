import type { Sql } from '../database/connect.ts'
import { runDdl } from '../ddl/transactional.ts'
import type { RolloutFacts, JournaledChange } from '../kind/facts.ts'
import type { RunContext } from '../kind/kind.ts'

/** Expand created the column. A column that existed before is cleared instead of dropped. */
export function columnCreatedBySti(facts: RolloutFacts): boolean {
  return facts.changes.some((change) => change.kind === 'column')
}

/** The column existed before expand and may hold derived values. It is cleared once; later values are not STI's. */
export function mustClearColumn(facts: RolloutFacts): boolean {
  return facts.table?.discriminator != null && !columnCreatedBySti(facts) && facts.mayHoldDerivedValues
}

/** In reverse order of creation. Without `full`, only what must be removed to roll back the data. */
export function changesToRevert(facts: RolloutFacts, full: boolean): JournaledChange[] {
  const index = full || columnCreatedBySti(facts) ? ['index'] : []
  // The archive of a column drop has triggers on the column, too.
  const kinds = new Set(['trigger', 'function', 'restore', 'constraint', 'not-null', 'column', 'archive', ...index])
  return facts.changes.filter((change) => kinds.has(change.kind)).reverse()
}

/**
 * Reverts the changes in one transaction. The trigger must go before the column is cleared, since it would set a NULL
 * again, and the constraint must go with it, since the application's writes would violate it without the trigger.
 */
export async function revertChanges(run: RunContext, sql: Sql, changes: readonly JournaledChange[]): Promise<void> {
  const ids = changes.map((change) => change.id).join(', ')
  await runDdl(run, sql, {
    description: 'reverting expand and finalize',
    steps: [
      ...changes.map((change) => change.inverse),
      `update sti.change set reverted_at = clock_timestamp(), reverted_by = ${run.operation.id} where id in (${ids})`,
    ],
  })
  await run.failpoint('rollback.reverted')
  await run.recordEvent('ddl', 'changes reverted', {
    before: changes.map((change) => change.statement),
    after: changes.map((change) => change.inverse),
  })
}
