import { runDdl, type ReversibleChange } from '../ddl/transactional.ts'
import type { RunOutcome, RunContext } from '../kind/kind.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { planSettings } from './monitoringSettings.ts'

/** How often application, host and the file's signals are read while enhanced monitoring is on. */
export const SAMPLING_INTERVAL_SECONDS = 1

/** Agents read it with everything else about the rollout. */
export function samplingChange({ name }: Rollout): ReversibleChange {
  return {
    kind: 'sampling',
    object: `sampling of ${name}`,
    statement: `insert into sti.monitoring (rollout, sampling_seconds) values (${quoteLiteral(name)}, ${SAMPLING_INTERVAL_SECONDS})`,
    inverse: `delete from sti.monitoring where rollout = ${quoteLiteral(name)}`,
    definitionSql: `(select sampling_seconds::text from sti.monitoring where rollout = ${quoteLiteral(name)})`,
    definitionAfterRevert: null,
  }
}

/** One transaction with its journal. Run again it finds what is there, and changes only what is missing. */
export async function enableMonitoring(run: RunContext): Promise<RunOutcome> {
  const { database, rollout } = run
  const { monitoring } = await run.readFacts()
  await run.failpoint('monitoring.looked')
  // A session of its own, and new: settings of the database show in those that begin after they were made.
  const sql = database.engine({ purpose: 'monitoring' })
  try {
    const { changes, refused } = await planSettings(sql)
    const steps = [...(monitoring.enhanced ? [] : [samplingChange(rollout)]), ...changes]
    if (steps.length > 0) {
      await runDdl(run, sql, { description: 'switching enhanced monitoring on', steps })
      await run.recordEvent('ddl', 'enhanced monitoring is on', { after: steps.map((step) => step.statement) })
    }
    for (const sentence of refused) await run.recordEvent('monitoring', sentence)
    // From the journal: another agent may have made them and died.
    const { monitoringChanges } = await run.readFacts()
    return { outcome: 'succeeded', result: { changed: monitoringChanges.map((change) => change.object), refused } }
  } finally {
    await sql.end({ timeout: 1 })
  }
}
