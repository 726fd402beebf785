import type { ValidationLayer, Verdict } from '@sti-rollout/agent/contract'
import type { BadgeColor } from '@grafana/ui'

export const VERDICT_COLORS = {
  pass: 'green',
  fail: 'red',
  inconclusive: 'orange',
  error: 'red',
} as const satisfies Record<Verdict, BadgeColor>

export const LAYER_TITLES = {
  integrity: 'Data integrity',
  performance: 'Performance',
  system: 'System health',
  business: 'Business logic',
} as const satisfies Record<ValidationLayer, string>

export const LAYERS = Object.keys(LAYER_TITLES) as ValidationLayer[]
