import type { NavModelItem } from '@grafana/data'
import { withAppSubUrl } from '../routes'

/** The tabs of a rollout: their labels, and the ends of their URLs. */
export const TABS = [
  ['Overview', ''],
  ['Validation', '/validation'],
  ['Readiness', '/readiness'],
  ['Incidents', '/incidents'],
  ['Operations', '/operations'],
  ['Column drop', '/column-drop'],
] as const

/** The tabs as Grafana’s page navigation shows them, with the number of incidents that need a person. */
export function rolloutTabs(base: string, pathname: string, openIncidents: number): NavModelItem[] {
  return TABS.map(([text, end]) => ({
    text,
    url: withAppSubUrl(`${base}${end}`),
    active: end === '' ? pathname.replace(/\/$/, '') === base : pathname.startsWith(`${base}${end}`),
    tabCounter: text === 'Incidents' && openIncidents > 0 ? openIncidents : undefined,
  }))
}
