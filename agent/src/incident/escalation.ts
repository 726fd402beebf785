import { ACKNOWLEDGE_TIMEOUT_SECONDS, type Escalation, type Severity } from '../contract/index.ts'

/** When each level of escalation is reached where the rollout file names no contact for it, in seconds. */
const DEFAULT_ESCALATION_SECONDS = [300, 600, 900, 1_800] as const

export interface EscalationContact {
  readonly role: string
  /** Seconds. */
  readonly escalateAfter: number
}

/** What the clock of an incident is read from; times in milliseconds since 1970. */
export interface IncidentTimes {
  readonly severity: Severity
  readonly openedAt: number
  readonly acknowledgedAt: number | null
  readonly closedAt: number | null
}

export function acknowledgeDeadline({ severity, openedAt }: Pick<IncidentTimes, 'severity' | 'openedAt'>): number {
  return openedAt + ACKNOWLEDGE_TIMEOUT_SECONDS[severity] * 1_000
}

/** Whether it was, or is, not acknowledged in time. One that was closed unacknowledged was answered by that. */
export function isLate(incident: IncidentTimes, now: number): boolean {
  return (incident.acknowledgedAt ?? incident.closedAt ?? now) > acknowledgeDeadline(incident)
}

/**
 * Seconds after which each of the four levels is reached, and who is called then: the contacts in their order, and the
 * defaults where there are fewer. No level comes before the one below it.
 */
export function escalationLevels(
  contacts: readonly EscalationContact[],
): { readonly role: string | null; readonly seconds: number }[] {
  let last = 0
  return DEFAULT_ESCALATION_SECONDS.map((defaultSeconds, index) => {
    const contact = contacts[index]
    last = Math.max(last, contact?.escalateAfter ?? defaultSeconds)
    return { role: contact?.role ?? null, seconds: last }
  })
}

/** How far a critical incident has escalated. It stops where somebody has acknowledged it, or closed it. */
export function currentEscalation(
  incident: IncidentTimes,
  contacts: readonly EscalationContact[],
  now: number,
): Escalation {
  const levels = incident.severity === 'critical' ? escalationLevels(contacts) : []
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
