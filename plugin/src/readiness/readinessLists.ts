import type { ReadinessItem, ReadinessList, ReadinessState } from '@sti-rollout/agent/contract'
import type { BadgeColor, IconName } from '@grafana/ui'

/** The lists as the plan names them; team and documentation are views across the others. */
export const LIST_TITLES = {
  staging: 'Staging validation complete',
  production: 'Production readiness',
  monitoring: 'Monitoring and observability',
  success: 'Success metrics',
  team: 'Team',
  documentation: 'Documentation',
} as const satisfies Record<ReadinessList, string>

/** Those that are shown item by item. */
export const DETAILED_LISTS = [
  'staging',
  'production',
  'monitoring',
  'success',
] as const satisfies readonly ReadinessList[]

export const READINESS_STATE_DISPLAY = {
  ready: { color: 'green', icon: 'check', says: 'ready' },
  'not-ready': { color: 'red', icon: 'times', says: 'not ready' },
  unknown: { color: 'orange', icon: 'question-circle', says: 'unknown' },
} as const satisfies Record<ReadinessState, { color: BadgeColor; icon: IconName; says: string }>

export interface ReadinessCount {
  readonly ready: number
  readonly unknown: number
  readonly all: number
}

export function countItems(items: readonly ReadinessItem[], list: ReadinessList): ReadinessCount {
  const listItems = items.filter(({ lists }) => lists.includes(list))
  const countState = (state: ReadinessState) => listItems.filter((item) => item.state === state).length
  return { ready: countState('ready'), unknown: countState('unknown'), all: listItems.length }
}

/** `5 of 7, 1 unknown`. */
export function formatReadinessCount({ ready, unknown, all }: ReadinessCount): string {
  return `${ready} of ${all}${unknown > 0 ? `, ${unknown} unknown` : ''}`
}
