import { ACKNOWLEDGE_SECONDS, type Actor, type FlagStatus, type Severity } from '../contract/index.ts'
import type { Sql } from '../database/connect.ts'
import { ALERT_PROCEDURE, attestableOf } from '../readiness/attestable.ts'
import { attest } from '../readiness/attestations.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { closeIncident, openIncident, readIncident, type IncidentRow } from './store.ts'

/** The rule that a drill's incident names; no alert has this name. */
const DRILL = 'StiDrill'
const ATTESTED_DAYS = 90

export interface NewDrill {
  readonly severity: Severity
  readonly actor: Actor
  readonly reason: string | null
  /** The operation that turned the flag off, where that was asked for. */
  readonly flagOff: { readonly operationId: number | null } | null
}

/**
 * Opens the incident of a drill. From there on everything is as in earnest: its series, the rules on it, whoever they
 * call. Null: one is open already.
 */
export async function openDrill(sql: Sql, rollout: string, drill: NewDrill): Promise<IncidentRow | null> {
  const found = await openIncident(sql, {
    rollout,
    rule: DRILL,
    change: null,
    severity: drill.severity,
    drill: true,
    source: 'drill',
    times: 1,
    summary: `A drill of the alert procedure: acknowledge it.${drill.reason === null ? '' : ` ${drill.reason}`}`,
    reasons: [`${drill.actor.name} has started it.`],
    reading: null,
    actor: drill.actor,
    startedAt: null,
    rolledBack: drill.flagOff && { scope: 'flag', operationId: drill.flagOff.operationId },
  })
  return found?.opened ? await readIncident(sql, found.id) : null
}

export interface DrillSeen {
  readonly flag: FlagStatus
  /** When the watchdog alert was last seen, in milliseconds since 1970. */
  readonly pathSeenAt: number | null
  readonly pathLive: boolean
}

/**
 * Ends a drill that was just acknowledged: closes it, and where that was in time signs the alert procedure off with the
 * times that were measured.
 */
export async function endDrill(sql: Sql, rollout: Rollout, row: IncidentRow, seen: DrillSeen): Promise<IncidentRow> {
  const actor = row.acknowledged_by!
  const note = noteOf(row, seen)
  if (secondsOf(row) <= ACKNOWLEDGE_SECONDS[row.severity]) {
    const item = attestableOf(rollout.file).find((one) => one.item === ALERT_PROCEDURE)!
    const expiresAt = new Date(row.now.getTime() + ATTESTED_DAYS * 86_400_000)
    await attest(sql, rollout.name, { item, note, actor, expiresAt })
  }
  return (await closeIncident(sql, Number(row.id), { actor, note })) ?? row
}

const secondsOf = ({ opened_at, acknowledged_at }: IncidentRow): number =>
  (acknowledged_at!.getTime() - opened_at.getTime()) / 1_000

function noteOf(row: IncidentRow, { flag, pathSeenAt, pathLive }: DrillSeen): string {
  const seconds = secondsOf(row)
  const most = ACKNOWLEDGE_SECONDS[row.severity]
  const self = row.acknowledged_by!.name === row.opened_by.name ? ', who had started it' : ''
  const path =
    pathSeenAt === null
      ? 'no watchdog alert has reached this agent'
      : `the watchdog alert ${pathLive ? 'reaches' : 'does not reach'} this agent, last ${Math.round((row.now.getTime() - pathSeenAt) / 1_000)} s before`
  return [
    `Drill ${row.id}: acknowledged by ${row.acknowledged_by!.name}${self} after ${seconds.toFixed(1)} s`,
    `${row.severity}, ${most} s at most${seconds > most ? ', so too late' : ''}`,
    path,
    ...(row.rolled_back_scope === null
      ? []
      : [
          flag.lastPropagationSeconds === null
            ? 'the flag was turned off'
            : `the flag was off at every client ${flag.lastPropagationSeconds.toFixed(1)} s after it was turned off`,
        ]),
  ].join('; ')
}
