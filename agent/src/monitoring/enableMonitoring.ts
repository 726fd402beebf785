import { runDdl, type ReversibleChange } from '../ddl/transactional.ts'
import type { RunOutcome, RunContext } from '../kind/kind.ts'
import { quoteLiteral } from '../rollout/identifiers.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { planSettings } from './monitoringSettings.ts'

/** The polling interval for application, host and custom signals while enhanced monitoring is enabled. */
export const SAMPLING_INTERVAL_SECONDS = 1

/** Agents read the interval together with the other state of the rollout. */
export function samplingChange({ name }: Rollout): ReversibleChange {
  return {
    kind: 'sampling',
    object: `sampling of ${name}`,
    statement: `insert into sti.monitoring (rollout, sampling_interval_seconds) values (${quoteLiteral(name)}, ${SAMPLING_INTERVAL_SECONDS})`,
    inverse: `delete from sti.monitoring where rollout = ${quoteLiteral(name)}`,
    definitionSql: `(select sampling_interval_seconds::text from sti.monitoring where rollout = ${quoteLiteral(name)})`,
    definitionAfterRevert: null,
  }
}

/** Applies and journals all changes in one transaction. Idempotent: changes only what is missing. */
export async function enableMonitoring(run: RunContext): Promise<RunOutcome> {
  const { database, rollout } = run
  const { monitoring } = await run.readFacts()
  await run.failpoint('monitoring.looked')
  // A new session, since only sessions opened after a change see database settings.
  const sql = database.engine({ purpose: 'monitoring' })
  try {
    const { changes, refused } = await planSettings(sql)
    const steps = [...(monitoring.enhanced ? [] : [samplingChange(rollout)]), ...changes]
    if (steps.length > 0) {
      await runDdl(run, sql, { description: 'enabling enhanced monitoring', steps })
      await run.recordEvent('ddl', 'enhanced monitoring enabled', { after: steps.map((step) => step.statement) })
    }
    for (const sentence of refused) await run.recordEvent('monitoring', sentence)
    // Read from the journal, since another agent may have applied them before it died.
    const { monitoringChanges } = await run.readFacts()
    return { outcome: 'succeeded', result: { changed: monitoringChanges.map((change) => change.object), refused } }
  } finally {
    await sql.end({ timeout: 1 })
  }
}
