import type { Sql } from '../database/connect.ts'
import { dollarQuoted } from '../dualWrite/trigger.ts'
import { runDdl } from '../engine/ddl.ts'
import type { Run } from '../engine/kind.ts'
import { literal } from '../rollout/names.ts'
import type { Planned } from './plan.ts'

/**
 * Takes one journaled change back, in a transaction of its own that looks at the catalog, does it, and looks again. What
 * has changed since the plan was made is left as it is. Answers why it was left, or null.
 */
export async function settle(run: Run, sql: Sql, planned: Planned, force: boolean): Promise<string | null> {
  const { change } = planned
  const steps = planned.standing === 'gone' ? [forgotten(run, planned)] : [taken(run, planned, force)]
  await runDdl(run, sql, { what: `taking back ${change.object}`, steps })
  await run.reached('system.reverted')
  const [row] = await run.database.state<{ reverted: boolean; left_because: string | null }[]>`
    select reverted_at is not null as reverted, left_because from sti.change where id = ${change.id}`
  return row!.reverted ? null : (row!.left_because ?? 'it was not taken back')
}

const reverted = (run: Run): string => `reverted_at = clock_timestamp(), reverted_by = ${run.operation.id}`

function forgotten(run: Run, { change }: Planned): string {
  return `update sti.change set ${reverted(run)}, left_because = 'it was gone already' where id = ${change.id}`
}

/** One statement that decides, does and looks again, so that nothing comes in between. */
function taken(run: Run, { change, expected }: Planned, force: boolean): string {
  const { id, inverse, look, back } = change
  const text = (value: string | null): string => (value === null ? 'null' : literal(value))
  const unproved = look === null || expected === undefined
  const left = `update sti.change set left_because = format('somebody changes it just now, it is %s', coalesce(found, 'gone')) where id = ${id};`
  const execute = `execute ${literal(inverse)};
    found := ${look ?? 'null'};
    if found is distinct from ${text(back)} then
      raise exception 'it is still there after its inverse: %', found using errcode = 'STI03';
    end if;
    update sti.change set ${reverted(run)}, left_because = null where id = ${id};`
  const doing =
    unproved || force
      ? execute
      : `if found is distinct from ${text(expected ?? null)} then ${left} else ${execute} end if;`
  return `do ${dollarQuoted(`declare found text := ${look ?? 'null'}; begin ${doing} end`)}`
}
