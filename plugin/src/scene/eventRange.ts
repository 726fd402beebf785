import type { Incident } from '@sti-rollout/agent/contract'
import { MS_AFTER_EVENT, MS_BEFORE_EVENT } from '../routes'

export interface TimeRange {
  readonly from: string
  readonly to: string
}

const LATEST: TimeRange = { from: 'now-15m', to: 'now' }

/** The time around the newest incident of an alert rule, which its link names; the last minutes without one. */
export function eventRange(rule: string | null, incidents: readonly Incident[], now: number): TimeRange {
  const newest = incidents
    .filter((incident) => incident.rule === rule)
    .reduce<Incident | null>(
      (latest, incident) => (latest && latest.openedAt >= incident.openedAt ? latest : incident),
      null,
    )
  if (newest === null) return LATEST
  const at = Date.parse(newest.openedAt)
  const from = new Date(at - MS_BEFORE_EVENT).toISOString()
  return at + MS_AFTER_EVENT > now ? { from, to: 'now' } : { from, to: new Date(at + MS_AFTER_EVENT).toISOString() }
}
