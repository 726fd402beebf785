import type { Layer, Verdict } from '@sti-rollout/agent/contract'
import type { BadgeColor } from '@grafana/ui'

export const VERDICTS = {
  pass: 'green',
  fail: 'red',
  inconclusive: 'orange',
  error: 'red',
} as const satisfies Record<Verdict, BadgeColor>

export const TITLES = {
  integrity: 'Data integrity',
  performance: 'Performance',
  system: 'System health',
  business: 'Business logic',
} as const satisfies Record<Layer, string>
