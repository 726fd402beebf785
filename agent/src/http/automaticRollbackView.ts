import { readRollbackHold } from '../alert/rollbackHoldStore.ts'
import type { AutomaticRollback, RolloutDetail } from '../contract/index.ts'
import { listIncidents } from '../incident/incidentStore.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { ApiDependencies } from './dependencies.ts'
import { presentIncident } from './routes/incidents.ts'

const MAX_LISTED_INCIDENTS = 50

/** The state of the automatic rollback as it is in the database. */
export async function readAutomaticRollback(
  { database, config, alertPath, holds }: ApiDependencies,
  rollout: Rollout,
): Promise<AutomaticRollback> {
  const hold = await readRollbackHold(database.state, rollout.name)
  holds.set(rollout.name, hold)
  const watchdogSeenAt = alertPath.lastSeenAt()
  return {
    armed: hold === null,
    scopes: [...rollout.file.automaticRollback],
    guard: config.guard,
    pausedBy: hold?.by.name ?? null,
    pausedUntil: hold?.until.toISOString() ?? null,
    reason: hold?.reason ?? null,
    pathSeenAt: watchdogSeenAt === null ? null : new Date(watchdogSeenAt).toISOString(),
    pathLive: alertPath.isLive(),
  }
}

/** The incidents and the automatic rollback of a rollout. */
export async function readIncidentDetail(
  deps: ApiDependencies,
  rollout: Rollout,
): Promise<Pick<RolloutDetail, 'automaticRollback' | 'incidents' | 'openIncidents'>> {
  const [automaticRollback, rows] = await Promise.all([
    readAutomaticRollback(deps, rollout),
    listIncidents(deps.database.state, { rollout: rollout.name, limit: MAX_LISTED_INCIDENTS }),
  ])
  const incidents = rows.map((row) => presentIncident(deps, row))
  const open = incidents.filter(({ state, drill }) => state !== 'closed' && !drill)
  return { automaticRollback, incidents, openIncidents: open.length }
}
