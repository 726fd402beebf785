import { DERIVE_TRIGGER_NAME, findLaterTriggers } from '../rollout/laterTriggers.ts'
import type { Sql } from '../database/connect.ts'
import type { Rollout, Table, Trigger } from '../rollout/rollout.ts'
import { describeColumnChange, readColumnChanges } from './columnShape.ts'
import { requiredFunctionSettings } from './functionSettings.ts'
import { REVERSE_SYNC_PREFIX, reverseSyncMark } from './reverseSync.ts'
import {
  COMPLETE_TRIGGER_NAME,
  derivationMark,
  deriveFunctionName,
  dualWriteTriggerNames,
  MOVE_TRIGGER_NAME,
} from './deriveTrigger.ts'

/**
 * Null if the dual-write trigger is as expand or finalize created it: it exists, is enabled, matches the rollout file,
 * fires last, fires on every partition, and its function matches the journal. Otherwise, one sentence that says what is
 * wrong. With `dualWrite: application`, no trigger may exist.
 */
export async function findTriggerFault(sql: Sql, rollout: Rollout, table: Table): Promise<string | null> {
  const existing = table.triggers.filter((trigger) => trigger.ours)
  const columnChanges = await readColumnChanges(sql, rollout, table)
  if (columnChanges.length > 0) return columnChanges.map((change) => describeColumnChange(rollout, change)).join(' ')
  if (rollout.file.dualWrite === 'application') {
    return existing.length === 0
      ? null
      : `The dual-write trigger of an earlier rollout file is still on the table. Expand again to remove it.`
  }
  const required = dualWriteTriggerNames(rollout, table)
  // The main trigger is the one to name first.
  for (const name of required.toSorted(
    (a, b) => Number(b === DERIVE_TRIGGER_NAME) - Number(a === DERIVE_TRIGGER_NAME),
  )) {
    const fault = triggerDeclarationFault(
      name,
      existing.find((trigger) => trigger.name === name),
    )
    if (fault !== null) return fault
  }
  const superfluous = existing.find((trigger) => !required.includes(trigger.name))
  if (superfluous !== undefined)
    return `The dual-write trigger ${superfluous.name} belongs to an earlier rollout file. Expand again to remove it.`
  const laterTriggers = findLaterTriggers(table.triggers).map(
    ({ name }) =>
      `Trigger ${name} fires after the dual-write trigger and could change a row after its type is derived. Rename it.`,
  )
  if (laterTriggers.length > 0) return laterTriggers.join(' ')
  const derive = await readDeriveFunction(sql, rollout, table)
  const settings = requiredFunctionSettings(rollout, table)
  if (
    derive === undefined ||
    !derive.ours ||
    derive.path === null ||
    !derive.definer ||
    !settings.every((setting) => derive.settings.some((found) => found.toLowerCase() === setting.toLowerCase()))
  )
    return 'The function of the dual-write trigger was changed outside STI. Expand again.'
  if (!derive.text.includes(derivationMark(rollout)))
    return 'The dual-write trigger was created from an earlier version of the rollout file. Expand again.'
  if (!derive.journaled) return 'The function of the dual-write trigger was changed outside STI. Expand again.'
  if (derive.off !== null) return `The dual-write trigger does not fire on partition ${derive.off}. Expand again.`
  return null
}

/** True if the trigger has reverse sync. */
export async function hasReverseSync(sql: Sql, rollout: Rollout, table: Table): Promise<boolean> {
  return rollout.file.dualWrite === 'trigger' && (await findMissingReverseSync(sql, rollout, table)) === null
}

/** Null if the trigger has reverse sync; otherwise, the step that finalize has to do for it. */
export async function findMissingReverseSync(sql: Sql, rollout: Rollout, table: Table): Promise<string | null> {
  if (rollout.file.dualWrite === 'application') return null
  const derive = await readDeriveFunction(sql, rollout, table)
  if (derive?.text.includes(REVERSE_SYNC_PREFIX) !== true) return 'reverse sync of the dual-write trigger'
  if (!derive.text.includes(reverseSyncMark(rollout, table)))
    return 'reverse sync of the dual-write trigger, since a column default has changed'
  return null
}

function triggerDeclarationFault(name: string, trigger: Trigger | undefined): string | null {
  const subject = name === DERIVE_TRIGGER_NAME ? 'The dual-write trigger' : `The dual-write trigger ${name}`
  if (trigger === undefined) return `The dual-write trigger ${name} does not exist on the table. Expand again.`
  if (trigger.enabled !== 'always')
    return `${subject} is ${trigger.enabled === 'disabled' ? 'disabled' : 'not ENABLE ALWAYS'}. Expand again.`
  const isUnchanged =
    trigger.onInsert === (name !== MOVE_TRIGGER_NAME) &&
    trigger.onUpdate === (name !== COMPLETE_TRIGGER_NAME) &&
    trigger.updateOf === null &&
    trigger.forEachRow &&
    trigger.timing === 'before'
  return isUnchanged ? null : `${subject} was changed outside STI. Expand again.`
}

interface DeriveFunctionRow {
  readonly text: string
  readonly ours: boolean
  readonly path: string | null
  /** Its settings, as `name=value`. */
  readonly settings: readonly string[]
  readonly definer: boolean
  /** The text matches a journaled change that has not been reverted. */
  readonly journaled: boolean
  /** The partitions where the trigger is missing or not ENABLE ALWAYS. */
  readonly off: string | null
}

async function readDeriveFunction(sql: Sql, rollout: Rollout, table: Table): Promise<DeriveFunctionRow | undefined> {
  const names = dualWriteTriggerNames(rollout, table)
  const [row] = await sql<DeriveFunctionRow[]>`
    select p.prosrc as text, p.oid = to_regprocedure(${`${deriveFunctionName(rollout)}()`}) as ours, p.prosecdef as definer,
      (select setting from unnest(p.proconfig) setting where setting like 'search_path=pg_catalog%') as path,
      coalesce(to_jsonb(p.proconfig), '[]') as settings,
      exists (select from sti.change c where c.rollout = ${rollout.name} and c.kind in ('function', 'restore')
        and c.reverted_at is null and position(p.prosrc in c.statement) > 0) as journaled,
      (select string_agg(distinct tree.relid::regclass::text, ', ') from pg_partition_tree(t.tgrelid) tree, jsonb_array_elements_text(${sql.json(names)}) required (name) where not exists (
        select from pg_trigger clone where clone.tgrelid = tree.relid and clone.tgname = required.name and clone.tgenabled = 'A')) as off
    from pg_trigger t join pg_proc p on p.oid = t.tgfoid
    where t.tgrelid = ${table.oid}::oid and t.tgname = ${DERIVE_TRIGGER_NAME}`
  return row
}
