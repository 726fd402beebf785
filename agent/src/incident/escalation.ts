import { ACKNOWLEDGE_TIMEOUT_SECONDS, type Escalation, type Severity } from '../contract/index.ts'

/** Seconds until each escalation level, if the rollout file has no contact for it. */
const DEFAULT_ESCALATION_SECONDS = [300, 600, 900, 1_800] as const

export interface EscalationContact {
  readonly role: string
  /** Seconds. */
  readonly escalateAfter: number
}

/** The times of an incident, in milliseconds since 1970. */
export interface IncidentTimes {
  readonly severity: Severity
  readonly openedAt: number
  readonly acknowledgedAt: number | null
  readonly closedAt: number | null
}

export function acknowledgeDeadline({ severity, openedAt }: Pick<IncidentTimes, 'severity' | 'openedAt'>): number {
  return openedAt + ACKNOWLEDGE_TIMEOUT_SECONDS[severity] * 1_000
}

/** True if the incident was not acknowledged in time. Closing an incident counts as acknowledging it. */
export function isLate(incident: IncidentTimes, now: number): boolean {
  return (incident.acknowledgedAt ?? incident.closedAt ?? now) > acknowledgeDeadline(incident)
}

/**
 * The four escalation levels, each with its seconds and the role that is paged: the contacts in order, then the defaults. No
 * level comes before a lower one. The times are those of a critical incident. A warning may wait longer for its
 * acknowledgement, so that each of its levels comes later by as much. Information pages nobody.
 */
export function escalationLevels(
  severity: Severity,
  contacts: readonly EscalationContact[],
): { readonly role: string | null; readonly seconds: number }[] {
  if (severity === 'info') return []
  const delay = ACKNOWLEDGE_TIMEOUT_SECONDS[severity] - ACKNOWLEDGE_TIMEOUT_SECONDS.critical
  let seconds = 0
  return DEFAULT_ESCALATION_SECONDS.map((defaultSeconds, index) => {
    const contact = contacts[index]
    seconds = Math.max(seconds, contact?.escalateAfter ?? defaultSeconds)
    return { role: contact?.role ?? null, seconds: seconds + delay }
  })
}

/** The escalation of an incident. It stops once the incident is acknowledged or closed. */
export function currentEscalation(
  incident: IncidentTimes,
  contacts: readonly EscalationContact[],
  now: number,
): Escalation {
  const levels = escalationLevels(incident.severity, contacts)
  const stoppedAt = incident.acknowledgedAt ?? incident.closedAt
  const seconds = ((stoppedAt ?? now) - incident.openedAt) / 1_000
  const level = levels.filter((step) => seconds >= step.seconds).length
  const next = stoppedAt === null ? levels[level] : undefined
  return {
    level,
    role: levels[level - 1]?.role ?? null,
    nextAt: next ? new Date(incident.openedAt + next.seconds * 1_000).toISOString() : null,
    nextRole: next?.role ?? null,
  }
}
