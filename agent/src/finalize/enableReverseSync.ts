import type { Sql } from '../database/connect.ts'
import { reverseSyncChange } from '../dualWrite/reverseSync.ts'
import { findMissingReverseSync } from '../dualWrite/verifyTrigger.ts'
import { runDdl } from '../ddl/transactional.ts'
import { OperationFailedError } from '../kind/operationErrors.ts'
import type { RunContext } from '../kind/kind.ts'
import { requireTable } from '../kind/requireTable.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'

/**
 * From now on a type that new code writes is carried back to the legacy columns. Only once coverage is verified: before
 * that, a row that is moved between partitions, or holds the constant of a prefill, would overwrite its legacy columns.
 */
export async function enableReverseSync(run: RunContext, sql: Sql): Promise<void> {
  const { rollout, operation, database } = run
  const facts = await run.readFacts()
  const table = requireTable(facts)
  if ((await findMissingReverseSync(database.state, rollout, table)) === null) return
  if (!facts.coverageVerified || facts.triggerFault !== null) {
    const reason = facts.triggerFault ?? 'No validation that has passed is newer than the last change.'
    throw new OperationFailedError(
      'finalize',
      `Coverage is not verified any more: ${reason} Run a validation, then finalize.`,
    )
  }
  const change = reverseSyncChange(rollout, table)
  await runDdl(run, sql, {
    description: 'giving the dual-write trigger its way back',
    steps: [
      `update sti.change set reverted_at = clock_timestamp(), reverted_by = ${operation.id}
        where rollout = ${quoteLiteral(rollout.name)} and object = ${quoteLiteral(change.object)} and reverted_at is null`,
      change,
    ],
  })
  await run.failpoint('finalize.both-ways')
  await run.recordEvent('ddl', 'the dual-write trigger serves both ways', {
    before: change.inverse,
    after: change.statement,
  })
}
