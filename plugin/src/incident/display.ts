import type { BadgeColor, IconName } from '@grafana/ui'
import type { Incident, IncidentState, Severity } from '@sti-rollout/agent/contract'
import { formatDuration } from '@sti-rollout/agent/format'

export const SEVERITY_DISPLAY = {
  critical: { color: 'red', icon: 'exclamation-circle' },
  warning: { color: 'orange', icon: 'exclamation-triangle' },
  info: { color: 'blue', icon: 'info-circle' },
} as const satisfies Record<Severity, { color: BadgeColor; icon: IconName }>

export const SEVERITY_LABELS = {
  critical: 'Critical',
  warning: 'Warning',
  info: 'Information',
} as const satisfies Record<Severity, string>

export const STATE_COLORS = {
  open: 'red',
  acknowledged: 'orange',
  closed: 'green',
} as const satisfies Record<IncidentState, BadgeColor>

export const SOURCE_LABELS = {
  grafana: 'a Grafana alert',
  alertmanager: 'an Alertmanager alert',
  guard: 'the agent’s guard',
  operation: 'an operation',
  drill: 'a drill',
} as const satisfies Record<Incident['source'], string>

/** The timer of an incident: the time left to acknowledge it, how long it is overdue, or how long it took. */
export function acknowledgementTimer(
  incident: Incident,
  now: number,
): { readonly text: string; readonly late: boolean } {
  const { acknowledgedSeconds, acknowledgeBy, late, state } = incident
  if (acknowledgedSeconds !== null)
    return { text: `acknowledged after ${formatDuration(acknowledgedSeconds)}${late ? ', late' : ''}`, late }
  if (state === 'closed') return { text: 'closed without acknowledgement', late }
  const secondsLeft = (Date.parse(acknowledgeBy) - now) / 1000
  return secondsLeft >= 0
    ? { text: `acknowledge within ${formatDuration(Math.round(secondsLeft))}`, late: false }
    : { text: `acknowledgement overdue by ${formatDuration(Math.round(-secondsLeft))}`, late: true }
}

/** Who has been paged, and who is next. */
export function escalationText({ escalation, severity, state }: Incident, now: number): string {
  if (severity === 'info') return 'information pages nobody'
  const { level, role, nextAt, nextRole } = escalation
  if (state !== 'open') return level > 0 ? `level ${level} was paged` : 'nobody was paged'
  const paged = level === 0 ? null : `${role ?? `level ${level}`} was paged`
  if (nextAt === null) return paged ?? 'nobody is paged: the rollout file has no contact with escalateAfter'
  const secondsLeft = Math.max(0, Math.round((Date.parse(nextAt) - now) / 1000))
  return [paged, `${nextRole ?? `level ${level + 1}`} is paged in ${formatDuration(secondsLeft)}`]
    .filter((text) => text !== null)
    .join(', ')
}

/** How long the incident has been open, by when to acknowledge it, and who is paged next. */
export function deadlineText(incident: Incident, now: number): string {
  const { state, openedAt, acknowledgedBy } = incident
  const { text } = acknowledgementTimer(incident, now)
  if (state !== 'open') return acknowledgedBy === null ? text : `${text} by ${acknowledgedBy.name}`
  const seconds = Math.max(0, Math.round((now - Date.parse(openedAt)) / 1000))
  return [`open for ${formatDuration(seconds)}`, text, escalationText(incident, now)].join(' · ')
}

const STATE_ORDER = Object.keys(STATE_COLORS)
const SEVERITY_ORDER = Object.keys(SEVERITY_DISPLAY)

/** Open incidents first, then acknowledged ones, each by severity; otherwise the order of the agent. */
export const sortIncidents = (incidents: readonly Incident[]): Incident[] =>
  [...incidents].sort(
    (a, b) =>
      STATE_ORDER.indexOf(a.state) - STATE_ORDER.indexOf(b.state) ||
      (a.state !== 'closed' ? SEVERITY_ORDER.indexOf(a.severity) - SEVERITY_ORDER.indexOf(b.severity) : 0),
  )
