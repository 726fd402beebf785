import type { ReadinessItem, ReadinessList, ReadinessState } from '@sti-rollout/agent/contract'
import type { BadgeColor, IconName } from '@grafana/ui'

/** The lists as the plan names them; team and documentation are views across the others. */
export const LISTS = {
  staging: 'Staging validation complete',
  production: 'Production readiness',
  monitoring: 'Monitoring and observability',
  success: 'Success metrics',
  team: 'Team',
  documentation: 'Documentation',
} as const satisfies Record<ReadinessList, string>

/** Those that are shown item by item. */
export const SHOWN = ['staging', 'production', 'monitoring', 'success'] as const satisfies readonly ReadinessList[]

export const STATES = {
  ready: { color: 'green', icon: 'check', says: 'ready' },
  'not-ready': { color: 'red', icon: 'times', says: 'not ready' },
  unknown: { color: 'orange', icon: 'question-circle', says: 'unknown' },
} as const satisfies Record<ReadinessState, { color: BadgeColor; icon: IconName; says: string }>

export interface Count {
  readonly ready: number
  readonly unknown: number
  readonly all: number
}

export function countOf(items: readonly ReadinessItem[], list: ReadinessList): Count {
  const own = items.filter(({ lists }) => lists.includes(list))
  const of = (state: ReadinessState) => own.filter((item) => item.state === state).length
  return { ready: of('ready'), unknown: of('unknown'), all: own.length }
}

/** `5 of 7, 1 unknown`. */
export function told({ ready, unknown, all }: Count): string {
  return `${ready} of ${all}${unknown > 0 ? `, ${unknown} unknown` : ''}`
}
