import type { BadgeColor, IconName } from '@grafana/ui'
import type { Incident, IncidentState, Severity } from '@sti-rollout/agent/contract'
import { formatDuration } from '@sti-rollout/agent/format'

export const SEVERITY_DISPLAY = {
  critical: { color: 'red', icon: 'exclamation-circle' },
  warning: { color: 'orange', icon: 'exclamation-triangle' },
  info: { color: 'blue', icon: 'info-circle' },
} as const satisfies Record<Severity, { color: BadgeColor; icon: IconName }>

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
    : { text: `overdue by ${formatDuration(Math.round(-secondsLeft))}`, late: true }
}

/** Who has been paged, and who is next. */
export function escalationText({ escalation, severity, state }: Incident, now: number): string {
  const { level, role, nextAt, nextRole } = escalation
  if (severity === 'info') return 'information pages nobody'
  if (state !== 'open') return level > 0 ? `reached level ${level}` : 'nobody was paged'
  const currentLevel = level === 0 ? 'nobody paged yet' : `level ${level}${role ? `, ${role}` : ''}`
  if (nextAt === null) return currentLevel
  const secondsLeft = Math.max(0, Math.round((Date.parse(nextAt) - now) / 1000))
  return `${currentLevel}; ${nextRole ?? `level ${level + 1}`} in ${formatDuration(secondsLeft)}`
}

const STATE_ORDER = Object.keys(STATE_COLORS)
const SEVERITY_ORDER = Object.keys(SEVERITY_DISPLAY)

/** Open incidents first, by severity; otherwise the order of the agent. */
export const sortIncidents = (incidents: readonly Incident[]): Incident[] =>
  [...incidents].sort(
    (a, b) =>
      STATE_ORDER.indexOf(a.state) - STATE_ORDER.indexOf(b.state) ||
      (a.state === 'open' ? SEVERITY_ORDER.indexOf(a.severity) - SEVERITY_ORDER.indexOf(b.severity) : 0),
  )
