import { runDdl, type Change } from '../engine/ddl.ts'
import type { Outcome, Run } from '../engine/kind.ts'
import { literal } from '../rollout/names.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { planSettings } from './settings.ts'

/** How often application, host and the file's signals are read while enhanced monitoring is on. */
export const SAMPLING_SECONDS = 1

/** Agents read it with everything else about the rollout. */
export function sampling({ name }: Rollout): Change {
  return {
    kind: 'sampling',
    object: `sampling of ${name}`,
    statement: `insert into sti.monitoring (rollout, sampling_seconds) values (${literal(name)}, ${SAMPLING_SECONDS})`,
    inverse: `delete from sti.monitoring where rollout = ${literal(name)}`,
    look: `(select sampling_seconds::text from sti.monitoring where rollout = ${literal(name)})`,
    back: null,
  }
}

/** One transaction with its journal. Run again it finds what is there, and changes only what is missing. */
export async function enable(run: Run): Promise<Outcome> {
  const { database, rollout } = run
  const { monitoring } = await run.facts()
  await run.reached('monitoring.looked')
  // A session of its own, and new: settings of the database show in those that begin after they were made.
  const sql = database.engine({ purpose: 'monitoring' })
  try {
    const { changes, refused } = await planSettings(sql)
    const steps = [...(monitoring.enhanced ? [] : [sampling(rollout)]), ...changes]
    if (steps.length > 0) {
      await runDdl(run, sql, { what: 'switching enhanced monitoring on', steps })
      await run.event('ddl', 'enhanced monitoring is on', { after: steps.map((step) => step.statement) })
    }
    for (const sentence of refused) await run.event('monitoring', sentence)
    // From the journal: another agent may have made them and died.
    const { monitoringChanges } = await run.facts()
    return { outcome: 'succeeded', result: { changed: monitoringChanges.map((change) => change.object), refused } }
  } finally {
    await sql.end({ timeout: 1 })
  }
}
