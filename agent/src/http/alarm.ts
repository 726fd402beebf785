import { readHold } from '../alert/hold.ts'
import type { AutomaticRollback, RolloutDetail } from '../contract/index.ts'
import { listIncidents } from '../incident/store.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { Parts } from './parts.ts'
import { incidentOf } from './routes/incidents.ts'

const SHOWN = 50

/** The switch as the database has it now. */
export async function automaticRollbackOf(
  { database, config, alertPath, holds }: Parts,
  rollout: Rollout,
): Promise<AutomaticRollback> {
  const hold = await readHold(database.state, rollout.name)
  holds.set(rollout.name, hold)
  const seenAt = alertPath.seenAt()
  return {
    armed: hold === null,
    scopes: [...rollout.file.automaticRollback],
    guard: config.guard,
    heldBy: hold?.by.name ?? null,
    heldUntil: hold?.until.toISOString() ?? null,
    reason: hold?.reason ?? null,
    pathSeenAt: seenAt === null ? null : new Date(seenAt).toISOString(),
    pathLive: alertPath.live(),
  }
}

/** What a rollout's page says of incidents and of what happens by itself. */
export async function alarmDetail(
  parts: Parts,
  rollout: Rollout,
): Promise<Pick<RolloutDetail, 'automaticRollback' | 'incidents' | 'openIncidents'>> {
  const [automaticRollback, rows] = await Promise.all([
    automaticRollbackOf(parts, rollout),
    listIncidents(parts.database.state, { rollout: rollout.name, limit: SHOWN }),
  ])
  const incidents = rows.map((row) => incidentOf(parts, row))
  const open = incidents.filter(({ state, drill }) => state !== 'closed' && !drill)
  return { automaticRollback, incidents, openIncidents: open.length }
}
