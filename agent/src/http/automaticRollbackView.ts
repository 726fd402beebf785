import { readRollbackPause } from '../alert/rollbackPauseStore.ts'
import { isOpenIncident, type AutomaticRollback, type RolloutDetail } from '../contract/index.ts'
import { listIncidents } from '../incident/incidentStore.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { ApiDependencies } from './dependencies.ts'
import { presentIncident } from './routes/incidents.ts'

const MAX_LISTED_INCIDENTS = 50

/** The state of the automatic rollback in the database. */
export async function readAutomaticRollback(
  { database, config, alertPath, rollbackPauses }: ApiDependencies,
  rollout: Rollout,
): Promise<AutomaticRollback> {
  const pause = await readRollbackPause(database.state, rollout.name)
  rollbackPauses.set(rollout.name, pause)
  const watchdogSeenAt = alertPath.lastSeenAt()
  return {
    armed: pause === null,
    scopes: [...rollout.file.automaticRollback],
    guard: config.guard,
    pausedBy: pause?.by.name ?? null,
    pausedUntil: pause?.until.toISOString() ?? null,
    reason: pause?.reason ?? null,
    pathSeenAt: watchdogSeenAt === null ? null : new Date(watchdogSeenAt).toISOString(),
    pathLive: alertPath.isLive(),
    pathStarting: alertPath.isStarting(),
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
  const open = incidents.filter(isOpenIncident)
  return { automaticRollback, incidents, openIncidents: open.length }
}
