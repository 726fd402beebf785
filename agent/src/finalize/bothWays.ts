import type { Sql } from '../database/connect.ts'
import { restoreFunction } from '../dualWrite/bothWays.ts'
import { bothWaysMissing } from '../dualWrite/verify.ts'
import { runDdl } from '../engine/ddl.ts'
import { OperationFailure } from '../engine/errors.ts'
import type { Run } from '../engine/kind.ts'
import { demandTable } from '../engine/table.ts'
import { literal } from '../rollout/names.ts'

/**
 * From now on a type that new code writes is carried back to the legacy columns. Only once coverage is verified: before
 * that, a row that is moved between partitions, or holds the constant of a prefill, would overwrite its legacy columns.
 */
export async function makeBothWays(run: Run, sql: Sql): Promise<void> {
  const { rollout, operation, database } = run
  const facts = await run.facts()
  const table = demandTable(facts)
  if ((await bothWaysMissing(database.state, rollout, table)) === null) return
  if (!facts.verified || facts.triggerFault !== null) {
    const why = facts.triggerFault ?? 'No validation that has passed is newer than the last change.'
    throw new OperationFailure('finalize', `Coverage is not verified any more: ${why} Run a validation, then finalize.`)
  }
  const change = restoreFunction(rollout, table)
  await runDdl(run, sql, {
    what: 'giving the dual-write trigger its way back',
    steps: [
      `update sti.change set reverted_at = clock_timestamp(), reverted_by = ${operation.id}
        where rollout = ${literal(rollout.name)} and object = ${literal(change.object)} and reverted_at is null`,
      change,
    ],
  })
  await run.reached('finalize.both-ways')
  await run.event('ddl', 'the dual-write trigger serves both ways', {
    before: change.inverse,
    after: change.statement,
  })
}
