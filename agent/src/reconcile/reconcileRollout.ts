import { readAlertingState } from '../alert/alertingState.ts'
import type { Alerting } from '../alert/alerting.ts'
import type { RollbackPauseCache } from '../alert/rollbackPauseCache.ts'
import { readRollbackPause } from '../alert/rollbackPauseStore.ts'
import type { UsageWatch } from '../columnDrop/watch/usageWatch.ts'
import { agentActor, type Readiness } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { collectNodeConflicts } from '../dualWrite/nodeConflicts.ts'
import type { Flags } from '../flag/flags.ts'
import { openIncidentForFailedBackfill } from '../incident/openForFailedBackfill.ts'
import { readOpenIncidents } from '../incident/openIncidents.ts'
import type { RolloutFacts } from '../kind/facts.ts'
import type { RolloutReadings } from '../metrics/metricsSource.ts'
import type { FileVersionRecorder } from '../operation/fileVersions.ts'
import type { Scheduler } from '../operation/scheduler.ts'
import { endSupersededRamps } from '../ramp/endSupersededRamps.ts'
import type { Signals } from '../signals/signals.ts'
import { readMetricsReadings } from './metricsReadings.ts'

export interface ReconcileDependencies {
  readonly state: Sql
  readonly agent: string
  readonly fileVersions: FileVersionRecorder
  readonly scheduler: Scheduler
  readonly signals: Pick<Signals, 'setSampleInterval'>
  readonly flags: Pick<Flags, 'status'>
  readonly columnUsage: Pick<UsageWatch, 'pollIfDue'>
  readonly alerting: Pick<Alerting, 'updateState' | 'conditions' | 'comparison' | 'writeOwedRecords'>
  readonly rollbackPauses: RollbackPauseCache
  readonly readReadiness: (facts: RolloutFacts) => Promise<Readiness>
}

/**
 * One pass over one rollout: does what is due, refreshes what this agent keeps in memory, and returns the readings for
 * the metrics. A step that throws ends the pass; the next pass runs all of them again.
 */
export async function reconcileRollout(deps: ReconcileDependencies, facts: RolloutFacts): Promise<RolloutReadings> {
  await deps.fileVersions.record(facts.rollout)
  await deps.scheduler.startDueOperations(facts)
  await endSupersededRamps(deps.state, facts, deps.agent)
  await deps.columnUsage.pollIfDue(facts)
  applySampleInterval(deps, facts)
  // Before all that writes: no lock must keep the agent from knowing whether automatic rollback is paused.
  await refreshRollbackPause(deps, facts)
  await openMissedIncident(deps, facts)
  if (facts.changes.length > 0) await collectNodeConflicts(deps.state, facts.rollout, facts.table)
  const readings = await readMetricsReadings(deps.state, facts)
  deps.alerting.updateState(facts.rollout.name, await readAlertingState(deps.state, facts, readings))
  if (facts.blockers.length === 0) await deps.alerting.writeOwedRecords(facts.rollout.name)
  return {
    ...readings,
    readiness: await deps.readReadiness(facts),
    incidents: await readOpenIncidents(deps.state, facts.rollout),
    ...inMemoryReadings(deps, facts.rollout.name),
  }
}

/** Readings that need no database: a scrape replaces them with their current values. */
export function inMemoryReadings(
  { flags, rollbackPauses, alerting }: Pick<ReconcileDependencies, 'flags' | 'rollbackPauses' | 'alerting'>,
  rollout: string,
): Pick<RolloutReadings, 'flag' | 'automaticRollbackArmed' | 'conditions' | 'comparison'> {
  return {
    flag: flags.status(rollout),
    automaticRollbackArmed: rollbackPauses.isArmed(rollout),
    conditions: alerting.conditions(rollout),
    comparison: alerting.comparison(rollout),
  }
}

/** Enhanced monitoring samples more often. */
function applySampleInterval({ signals }: ReconcileDependencies, { rollout, monitoring }: RolloutFacts): void {
  signals.setSampleInterval(rollout.name, monitoring.enhanced ? monitoring.samplingSeconds : null)
}

/** An agent can die between the failure of a backfill and its incident. */
async function openMissedIncident({ state, agent }: ReconcileDependencies, facts: RolloutFacts): Promise<void> {
  if (facts.blockers.length === 0) await openIncidentForFailedBackfill(state, facts.rollout.name, agentActor(agent))
}

async function refreshRollbackPause({ state, rollbackPauses }: ReconcileDependencies, { rollout }: RolloutFacts) {
  rollbackPauses.set(rollout.name, await readRollbackPause(state, rollout.name))
}
