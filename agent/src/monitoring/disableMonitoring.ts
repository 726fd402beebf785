import { runDdl } from '../ddl/transactional.ts'
import type { JournaledChange } from '../kind/facts.ts'
import type { RunOutcome, RunContext } from '../kind/kind.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import { currentSettingSql, type PreviousSetting } from './monitoringSettings.ts'

/**
 * Disables enhanced monitoring, newest change first, each in its own transaction. Restores previous settings, keeps
 * settings that others have changed since, and moves settings that another rollout with enhanced monitoring still needs
 * to the journal of that rollout.
 */
export async function disableMonitoring(run: RunContext): Promise<RunOutcome> {
  const { monitoring, settings } = await readMonitoringChanges(run)
  await run.failpoint('monitoring.looked')
  const sql = run.database.engine({ purpose: 'monitoring' })
  try {
    for (const change of settings.toReversed()) {
      await runDdl(run, sql, { description: `reverting ${change.object}`, steps: [revertSettingSql(run, change)] })
    }
  } finally {
    await sql.end({ timeout: 1 })
  }
  const ids = settings.map(({ id }) => id)
  const after = await run.database.state<{ object: string; not_reverted_reason: string | null; rollout: string }[]>`
    select object, not_reverted_reason, rollout from sti.change where id in (
      select value::bigint from jsonb_array_elements_text(${run.database.state.json(ids.map(String))}::jsonb)) order by id`
  const unreverted = after.flatMap(({ object, not_reverted_reason }) =>
    not_reverted_reason === null ? [] : [`${object}: ${not_reverted_reason}`],
  )
  const inherited = after
    .filter(({ rollout }) => rollout !== run.rollout.name)
    .map(({ object, rollout }) => `${object}: ${rollout}`)
  for (const sentence of unreverted) await run.recordEvent('monitoring', `kept: ${sentence}`)
  for (const sentence of inherited) await run.recordEvent('monitoring', `kept for another rollout: ${sentence}`)
  const changedObjects = monitoring.changes.map((change) => change.object)
  await run.recordEvent('ddl', 'enhanced monitoring disabled', { before: changedObjects })
  return {
    outcome: 'succeeded',
    result: {
      reverted: changedObjects.length - unreverted.length - inherited.length,
      left: unreverted,
      kept: inherited,
    },
  }
}

async function readMonitoringChanges(run: RunContext) {
  const { monitoring, monitoringChanges } = await run.readFacts()
  return { monitoring, settings: monitoringChanges }
}

/** One statement checks and reverts, so that nothing can happen in between. */
function revertSettingSql(run: RunContext, { id, kind, inverse, before }: JournaledChange): string {
  const revertedColumns = `reverted_at = clock_timestamp(), reverted_by = ${run.operation.id}`
  const revertStatements = `execute ${quoteLiteral(inverse)}; update sti.change set ${revertedColumns} where id = ${id};`
  if (kind !== 'setting') return `do ${quoteLiteral(`begin ${revertStatements} end`)}`
  const { now } = before as PreviousSetting
  const rolloutName = quoteLiteral(run.rollout.name)
  return `do ${quoteLiteral(`declare
      found text := ${currentSettingSql(before as PreviousSetting)};
      heir text := (select min(m.rollout) from sti.monitoring m where m.rollout <> ${rolloutName});
    begin
      if found is distinct from ${quoteLiteral(now)} then
        update sti.change set ${revertedColumns}, not_reverted_reason = format('it is %s now, not ${now} as STI set it', coalesce(found, 'not set'))
          where id = ${id};
      elsif heir is not null then
        update sti.change set rollout = heir where id = ${id};
      else
        ${revertStatements}
      end if;
    end`)}`
}
