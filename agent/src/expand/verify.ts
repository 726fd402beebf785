import type { Sql } from '../database/connect.ts'
import type { Rollout, Table } from '../rollout/rollout.ts'
import { TRIGGER_NAME } from './trigger.ts'

/**
 * Null when the dual-write trigger is as expand made it: there, on, of this file, and the last one of its sort. Else
 * one sentence that says what is wrong.
 */
export async function triggerFault(sql: Sql, rollout: Rollout, table: Table): Promise<string | null> {
  if (rollout.file.dualWrite === 'application') return null
  const ours = table.triggers.find((trigger) => trigger.ours)
  if (ours === undefined) return `The dual-write trigger ${TRIGGER_NAME} is not on the table: expand it again.`
  if (ours.enabled !== 'always')
    return `The dual-write trigger is ${ours.enabled === 'disabled' ? 'disabled' : 'not ENABLE ALWAYS'}: somebody changed it. Expand again.`
  if (!(ours.onInsert && ours.onUpdate && ours.timing === 'before'))
    return 'The dual-write trigger was changed by somebody: expand again.'
  const later = table.triggers.find(
    (one) => one.timing === 'before' && one.forEachRow && !one.ours && one.name > TRIGGER_NAME,
  )
  if (later !== undefined)
    return `Trigger ${later.name} sorts after ours and can change a row behind our back: rename it.`
  const [source] = await sql<{ text: string }[]>`
    select p.prosrc as text from pg_trigger t join pg_proc p on p.oid = t.tgfoid
    where t.tgrelid = ${table.oid}::oid and t.tgname = ${TRIGGER_NAME}`
  if (!source?.text.includes(rollout.hash))
    return 'The dual-write trigger was made from another version of the rollout file: expand again.'
  return null
}
