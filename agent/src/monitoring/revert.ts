import { runDdl } from '../engine/ddl.ts'
import type { JournaledChange } from '../engine/facts.ts'
import type { Outcome, Run } from '../engine/kind.ts'
import { literal } from '../rollout/names.ts'
import { settingNow, type SettingBefore } from './settings.ts'

/**
 * Takes enhanced monitoring back, the newest change first, each in a transaction of its own: what was there before is
 * there again; what somebody else has changed since is left as it is; what another rollout with enhanced monitoring
 * needs too goes over to that one's journal.
 */
export async function revert(run: Run): Promise<Outcome> {
  const { monitoring, settings } = await monitoringOf(run)
  await run.reached('monitoring.looked')
  const sql = run.database.engine({ purpose: 'monitoring' })
  try {
    for (const change of settings.toReversed()) {
      await runDdl(run, sql, { what: `taking back ${change.object}`, steps: [settled(run, change)] })
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
  const ids = settings.map(({ id }) => id)
  const after = await run.database.state<{ object: string; left_because: string | null; rollout: string }[]>`
    select object, left_because, rollout from sti.change where id in (
      select value::bigint from jsonb_array_elements_text(${run.database.state.json(ids.map(String))}::jsonb)) order by id`
  const left = after.flatMap(({ object, left_because }) =>
    left_because === null ? [] : [`${object}: ${left_because}`],
  )
  const kept = after.filter((one) => one.rollout !== run.rollout.name).map((one) => `${one.object}: ${one.rollout}`)
  for (const sentence of left) await run.event('monitoring', `left as it is: ${sentence}`)
  for (const sentence of kept) await run.event('monitoring', `kept for another rollout: ${sentence}`)
  const before = monitoring.changes.map((change) => change.object)
  await run.event('ddl', 'enhanced monitoring is off', { before })
  return { outcome: 'succeeded', result: { reverted: before.length - left.length - kept.length, left, kept } }
}

async function monitoringOf(run: Run) {
  const { monitoring, monitoringChanges } = await run.facts()
  return { monitoring, settings: monitoringChanges }
}

/** One statement that decides and does, so that nothing comes between looking and taking back. */
function settled(run: Run, { id, kind, inverse, before }: JournaledChange): string {
  const by = `reverted_at = clock_timestamp(), reverted_by = ${run.operation.id}`
  const takeBack = `execute ${literal(inverse)}; update sti.change set ${by} where id = ${id};`
  if (kind !== 'setting') return `do ${literal(`begin ${takeBack} end`)}`
  const { now } = before as SettingBefore
  const mine = literal(run.rollout.name)
  return `do ${literal(`declare
      found text := ${settingNow(before as SettingBefore)};
      heir text := (select min(m.rollout) from sti.monitoring m where m.rollout <> ${mine});
    begin
      if found is distinct from ${literal(now)} then
        update sti.change set ${by}, left_because = format('it is %s now, and not ${now} as it was set', coalesce(found, 'not set'))
          where id = ${id};
      elsif heir is not null then
        update sti.change set rollout = heir where id = ${id};
      else
        ${takeBack}
      end if;
    end`)}`
}
