import type { MetricFamily } from './metricFamily.ts'

export const conflictTotals: MetricFamily = {
  name: 'sti_conflicts_total',
  type: 'counter',
  help: 'Writes whose legacy columns and type disagree, by resolution; absent before finalize.',
  labels: ['rollout', 'resolution'],
  *samples({ rollouts }) {
    for (const { rollout, conflicts } of rollouts) {
      for (const [resolution, value] of Object.entries(conflicts ?? {}))
        yield { labels: { rollout, resolution }, value }
    }
  },
}
