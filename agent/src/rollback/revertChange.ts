import type { Sql } from '../database/connect.ts'
import { dollarQuote } from '../dualWrite/deriveTrigger.ts'
import { runDdl } from '../ddl/transactional.ts'
import type { RunContext } from '../kind/kind.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import { splitStatements } from '../rollout/sqlParser.ts'
import type { PlannedRevert } from './revertPlan.ts'

/**
 * Reverts one journaled change in its own transaction, which checks the catalog before and after. A change that was
 * modified after the plan was made is kept. Returns the reason why the change was kept, or null if it was reverted.
 */
export async function revertChange(
  run: RunContext,
  sql: Sql,
  planned: PlannedRevert,
  force: boolean,
): Promise<string | null> {
  const { change } = planned
  const steps = planned.status === 'missing' ? [markMissingSql(run, planned)] : [revertSql(run, planned, force)]
  await runDdl(run, sql, { description: `reverting ${change.object}`, steps })
  await run.failpoint('system.reverted')
  const [row] = await run.database.state<{ reverted: boolean; not_reverted_reason: string | null }[]>`
    select reverted_at is not null as reverted, not_reverted_reason from sti.change where id = ${change.id}`
  return row!.reverted ? null : (row!.not_reverted_reason ?? 'it was not reverted')
}

const revertedColumns = (run: RunContext): string =>
  `reverted_at = clock_timestamp(), reverted_by = ${run.operation.id}`

function markMissingSql(run: RunContext, { change }: PlannedRevert): string {
  return `update sti.change set ${revertedColumns(run)}, not_reverted_reason = 'it was already removed' where id = ${change.id}`
}

/** One statement checks, reverts and verifies, so that nothing can happen in between. */
function revertSql(run: RunContext, { change, expected }: PlannedRevert, force: boolean): string {
  const { id, inverse, definitionSql, definitionAfterRevert } = change
  const nullableLiteral = (value: string | null): string => (value === null ? 'null' : quoteLiteral(value))
  const unverifiable = definitionSql === null || expected === undefined
  const markUnreverted = `update sti.change set not_reverted_reason = format('it was changed during the rollback and is now %s', coalesce(found, 'removed')) where id = ${id};`
  // Citus sends the whole text of a command to its nodes, which take one statement at a time.
  const revert = splitStatements(inverse).map(({ text }) => `execute ${quoteLiteral(text)};`)
  const execute = `${revert.join('\n')}
    found := ${definitionSql ?? 'null'};
    if found is distinct from ${nullableLiteral(definitionAfterRevert)} then
      raise exception 'it still exists after its inverse: %', found using errcode = 'STI03';
    end if;
    update sti.change set ${revertedColumns(run)}, not_reverted_reason = null where id = ${id};`
  const body =
    unverifiable || force
      ? execute
      : `if found is distinct from ${nullableLiteral(expected ?? null)} then ${markUnreverted} else ${execute} end if;`
  return `do ${dollarQuote(`declare found text := ${definitionSql ?? 'null'}; begin ${body} end`)}`
}
