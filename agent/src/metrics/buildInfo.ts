import type { MetricFamily } from './metricFamily.ts'

export const buildInfo: MetricFamily = {
  name: 'sti_build_info',
  type: 'gauge',
  help: 'Always 1; the labels are the version and the name of the agent.',
  labels: ['version', 'agent'],
  samples: ({ build }) => [{ labels: { ...build }, value: 1 }],
}
