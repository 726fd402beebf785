import { ACKNOWLEDGE_SECONDS, type Escalation, type Severity } from '../contract/index.ts'

/** When each level of escalation is reached where the rollout file names no contact for it, in seconds. */
const LEVELS = [300, 600, 900, 1_800] as const

export interface Called {
  readonly role: string
  /** Seconds. */
  readonly escalateAfter: number
}

/** What the clock of an incident is read from; times in milliseconds since 1970. */
export interface Clocked {
  readonly severity: Severity
  readonly openedAt: number
  readonly acknowledgedAt: number | null
  readonly closedAt: number | null
}

export function acknowledgeBy({ severity, openedAt }: Pick<Clocked, 'severity' | 'openedAt'>): number {
  return openedAt + ACKNOWLEDGE_SECONDS[severity] * 1_000
}

/** Whether it was, or is, not acknowledged in time. One that was closed unacknowledged was answered by that. */
export function isLate(incident: Clocked, now: number): boolean {
  return (incident.acknowledgedAt ?? incident.closedAt ?? now) > acknowledgeBy(incident)
}

/**
 * Seconds after which each of the four levels is reached, and who is called then: the contacts in their order, and the
 * defaults where there are fewer. No level comes before the one below it.
 */
export function levelsOf(contacts: readonly Called[]): { readonly role: string | null; readonly seconds: number }[] {
  let last = 0
  return LEVELS.map((standard, index) => {
    const contact = contacts[index]
    last = Math.max(last, contact?.escalateAfter ?? standard)
    return { role: contact?.role ?? null, seconds: last }
  })
}

/** How far a critical incident has escalated. It stops where somebody has acknowledged it, or closed it. */
export function escalationOf(incident: Clocked, contacts: readonly Called[], now: number): Escalation {
  const levels = incident.severity === 'critical' ? levelsOf(contacts) : []
  const answered = incident.acknowledgedAt ?? incident.closedAt
  const seconds = ((answered ?? now) - incident.openedAt) / 1_000
  const level = levels.filter((one) => seconds >= one.seconds).length
  const next = answered === null ? levels[level] : undefined
  return {
    level,
    role: levels[level - 1]?.role ?? null,
    nextAt: next ? new Date(incident.openedAt + next.seconds * 1_000).toISOString() : null,
    nextRole: next?.role ?? null,
  }
}
