import type { Sql } from '../database/connect.ts'
import { collectNodeConflicts } from '../dualWrite/nodeConflicts.ts'
import { reverseSyncChange } from '../dualWrite/reverseSync.ts'
import { findMissingReverseSync } from '../dualWrite/verifyTrigger.ts'
import { runDdl } from '../ddl/transactional.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'
import type { RunContext } from '../kind/kind.ts'
import { requireTable } from '../kind/requireTable.ts'
import { rowVerificationGaps } from '../kind/verification.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'

/**
 * Enables reverse sync: a type that new code writes is copied to the legacy columns. Requires verified coverage: before
 * that, a row that moves between partitions or holds a prefilled constant would overwrite its legacy columns.
 */
export async function enableReverseSync(run: RunContext, sql: Sql): Promise<void> {
  const { rollout, operation, database } = run
  const facts = await run.readFacts()
  const table = requireTable(facts)
  if ((await findMissingReverseSync(database.state, rollout, table)) === null) return
  if (!facts.coverageVerified || facts.triggerFault !== null) {
    const reason = facts.triggerFault ?? rowVerificationGaps(facts).join(' ')
    throw new OperationFailedError(
      'finalize',
      `Coverage is no longer verified. ${reason} Run a validation, then finalize.`,
    )
  }
  await collectNodeConflicts(database.state, rollout, table)
  const change = reverseSyncChange(rollout, table)
  await runDdl(run, sql, {
    description: 'enabling reverse sync of the dual-write trigger',
    steps: [
      `update sti.change set reverted_at = clock_timestamp(), reverted_by = ${operation.id}
        where rollout = ${quoteLiteral(rollout.name)} and object = ${quoteLiteral(change.object)} and reverted_at is null`,
      change,
    ],
  })
  await run.failpoint('finalize.both-ways')
  await run.recordEvent('ddl', 'Reverse sync of the dual-write trigger is enabled', {
    before: change.inverse,
    after: change.statement,
  })
}
