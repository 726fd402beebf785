import type { Sql } from '../database/connect.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { BOTH_WAYS, bothWaysMark } from './bothWays.ts'
import { functionName, sortsAfterOurs, TRIGGER_NAME } from './trigger.ts'

/**
 * Null when the dual-write trigger is as expand made it, or finalize: there, on, of this file, on every partition, the
 * last one of its sort, and its function as the journal has it. Else one sentence that says what is wrong. Where the
 * application writes the type itself, there is none.
 */
export async function triggerFault(sql: Sql, rollout: Rollout, table: Table): Promise<string | null> {
  const ours = table.triggers.find((trigger) => trigger.ours)
  if (rollout.file.dualWrite === 'application') {
    return ours === undefined
      ? null
      : `The dual-write trigger of an earlier rollout file is still on the table: expand again to take it away.`
  }
  if (ours === undefined) return `The dual-write trigger ${TRIGGER_NAME} is not on the table: expand it again.`
  if (ours.enabled !== 'always')
    return `The dual-write trigger is ${ours.enabled === 'disabled' ? 'disabled' : 'not ENABLE ALWAYS'}: somebody changed it. Expand again.`
  if (!(ours.onInsert && ours.onUpdate && ours.updateOf === null && ours.forEachRow && ours.timing === 'before'))
    return 'The dual-write trigger was changed by somebody: expand again.'
  const later = sortsAfterOurs(table.triggers)[0]
  if (later !== undefined)
    return `Trigger ${later.name} sorts after ours and can change a row behind our back: rename it.`
  const found = await readTrigger(sql, rollout, table)
  if (found === undefined || !found.ours || found.path === null || !found.definer)
    return 'The function of the dual-write trigger was changed by somebody: expand again.'
  if (!found.text.includes(rollout.hash))
    return 'The dual-write trigger was made from another version of the rollout file: expand again.'
  if (!found.journaled) return 'The function of the dual-write trigger was changed by somebody: expand again.'
  if (found.off !== null) return `The dual-write trigger does not fire on partition ${found.off}: expand again.`
  return null
}

/** The trigger also serves writes of the type, as finalize makes it. */
export async function bothWays(sql: Sql, rollout: Rollout, table: Table): Promise<boolean> {
  return rollout.file.dualWrite === 'trigger' && (await bothWaysMissing(sql, rollout, table)) === null
}

/** Null when the trigger also serves writes of the type; else what finalize has to do for it, in words. */
export async function bothWaysMissing(sql: Sql, rollout: Rollout, table: Table): Promise<string | null> {
  if (rollout.file.dualWrite === 'application') return null
  const found = await readTrigger(sql, rollout, table)
  if (found?.text.includes(BOTH_WAYS) !== true) return 'the way back of the dual-write trigger'
  if (!found.text.includes(bothWaysMark(rollout, table)))
    return 'the way back of the dual-write trigger, since a column has another default now'
  return null
}

interface Found {
  readonly text: string
  readonly ours: boolean
  readonly path: string | null
  readonly definer: boolean
  /** The text is that of a change of ours that stands. */
  readonly journaled: boolean
  /** A partition without the trigger, or with one that somebody disabled. */
  readonly off: string | null
}

async function readTrigger(sql: Sql, rollout: Rollout, table: Table): Promise<Found | undefined> {
  const [found] = await sql<Found[]>`
    select p.prosrc as text, p.oid = to_regprocedure(${`${functionName(rollout)}()`}) as ours, p.prosecdef as definer,
      (select setting from unnest(p.proconfig) setting where setting like 'search_path=pg_catalog%') as path,
      exists (select from sti.change c where c.rollout = ${rollout.name} and c.kind in ('function', 'restore')
        and c.reverted_at is null and position(p.prosrc in c.statement) > 0) as journaled,
      (select tree.relid::regclass::text from pg_partition_tree(t.tgrelid) tree where not exists (
        select from pg_trigger clone where clone.tgrelid = tree.relid and clone.tgname = t.tgname and clone.tgenabled = 'A')
        limit 1) as off
    from pg_trigger t join pg_proc p on p.oid = t.tgfoid
    where t.tgrelid = ${table.oid}::oid and t.tgname = ${TRIGGER_NAME}`
  return found
}
