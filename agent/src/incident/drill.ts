import { ACKNOWLEDGE_TIMEOUT_SECONDS, type Actor, type FlagStatus, type Severity } from '../contract/index.ts'
import { formatDuration } from '../format/format.ts'
import type { Sql } from '../database/connect.ts'
import { ALERT_PROCEDURE_ITEM, listSignOffItems } from '../readiness/signOffItems.ts'
import { saveAttestation } from '../readiness/attestations.ts'
import type { Rollout } from '../rollout/rollout.ts'
import { closeIncident, openIncident, readIncident, type IncidentRow } from './incidentStore.ts'

/** The rule name of a drill's incident; no alert has this name. */
const DRILL_RULE = 'StiDrill'
const SIGN_OFF_DAYS = 90

export interface NewDrill {
  readonly severity: Severity
  readonly actor: Actor
  readonly reason: string | null
  /** The operation that turned the flag off, if requested. */
  readonly flagOff: { readonly operationId: number | null } | null
}

/**
 * Opens the incident of a drill. From here on it behaves like a real incident: same series, same rules, same pages. Null: a
 * drill is already open.
 */
export async function openDrill(sql: Sql, rollout: string, drill: NewDrill): Promise<IncidentRow | null> {
  const incident = await openIncident(sql, {
    rollout,
    rule: DRILL_RULE,
    change: null,
    isCurrentChange: false,
    severity: drill.severity,
    drill: true,
    source: 'drill',
    alertCount: 1,
    summary: `Drill of the alert procedure. Acknowledge it.${drill.reason === null ? '' : ` Reason: ${drill.reason}`}`,
    reasons: [`${drill.actor.name} started this drill.`],
    reading: null,
    actor: drill.actor,
    startedAt: null,
    rolledBack: drill.flagOff && { scope: 'flag', operationId: drill.flagOff.operationId },
  })
  return incident?.opened ? await readIncident(sql, incident.id) : null
}

export interface DrillObservations {
  readonly flag: FlagStatus
  /** When the watchdog alert was last received, in milliseconds since 1970. */
  readonly watchdogSeenAt: number | null
  readonly watchdogLive: boolean
}

/**
 * Closes a drill that was just acknowledged. If the acknowledgement was in time, and by somebody else than the person who
 * started the drill, signs the alert procedure off with the measured times.
 */
export async function endDrill(
  sql: Sql,
  rollout: Rollout,
  row: IncidentRow,
  observations: DrillObservations,
): Promise<IncidentRow> {
  const actor = row.acknowledged_by!
  const note = drillNote(row, observations)
  const inTime = acknowledgementSeconds(row) <= ACKNOWLEDGE_TIMEOUT_SECONDS[row.severity]
  if (inTime && !isSelfAcknowledged(row)) {
    const item = listSignOffItems(rollout.file).find((candidate) => candidate.item === ALERT_PROCEDURE_ITEM)!
    const expiresAt = new Date(row.now.getTime() + SIGN_OFF_DAYS * 86_400_000)
    await saveAttestation(sql, rollout.name, { item, note, actor, expiresAt })
  }
  return (await closeIncident(sql, Number(row.id), { actor, note })) ?? row
}

const isSelfAcknowledged = ({ acknowledged_by, opened_by }: IncidentRow): boolean =>
  acknowledged_by!.name === opened_by.name

const acknowledgementSeconds = ({ opened_at, acknowledged_at }: IncidentRow): number =>
  (acknowledged_at!.getTime() - opened_at.getTime()) / 1_000

function drillNote(row: IncidentRow, { flag, watchdogSeenAt, watchdogLive }: DrillObservations): string {
  const seconds = acknowledgementSeconds(row)
  const maximumSeconds = ACKNOWLEDGE_TIMEOUT_SECONDS[row.severity]
  const selfAcknowledged = isSelfAcknowledged(row) ? ' (who started it, so that it does not count as tested)' : ''
  const watchdog =
    watchdogSeenAt === null
      ? 'this agent has received no watchdog alert'
      : `watchdog alerts ${watchdogLive ? 'reach' : 'do not reach'} this agent, last one ${formatDuration(Math.round((row.now.getTime() - watchdogSeenAt) / 1_000))} ago`
  return [
    `Drill ${row.id}: acknowledged by ${row.acknowledged_by!.name}${selfAcknowledged} after ${formatDuration(seconds)}`,
    `severity ${row.severity} (limit ${formatDuration(maximumSeconds)}${seconds > maximumSeconds ? ', exceeded' : ''})`,
    watchdog,
    ...(row.rolled_back_scope === null
      ? []
      : [
          flag.lastPropagationSeconds === null
            ? 'the flag was turned off'
            : `the flag was off at every client ${formatDuration(flag.lastPropagationSeconds)} after it was turned off`,
        ]),
  ].join('; ')
}
