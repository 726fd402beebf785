import type { ReadinessItem, ReadinessList, ReadinessState } from '@sti-rollout/agent/contract'
import type { BadgeColor, IconName } from '@grafana/ui'

/** The lists of the definition of done; team and documentation are views across the other lists. */
export const LIST_TITLES = {
  staging: 'Staging validation complete',
  production: 'Production readiness',
  monitoring: 'Monitoring and observability',
  success: 'Success metrics',
  team: 'Team',
  documentation: 'Documentation',
} as const satisfies Record<ReadinessList, string>

/** The lists that the readiness page shows item by item. */
export const DETAILED_LISTS = [
  'staging',
  'production',
  'monitoring',
  'success',
] as const satisfies readonly ReadinessList[]

export const READINESS_STATE_DISPLAY = {
  ready: { color: 'green', icon: 'check', text: 'ready' },
  'not-ready': { color: 'red', icon: 'times', text: 'not ready' },
  unknown: { color: 'orange', icon: 'question-circle', text: 'unknown' },
} as const satisfies Record<ReadinessState, { color: BadgeColor; icon: IconName; text: string }>

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
