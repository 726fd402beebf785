import type { MetricFamily } from './metricFamily.ts'

export const conflictTotals: MetricFamily = {
  name: 'sti_conflicts_total',
  type: 'counter',
  help: 'Writes whose legacy columns and type disagree, by resolution: corrected before finalize; refused, legacy, or type after it. Absent before expand.',
  labels: ['rollout', 'resolution'],
  *samples({ rollouts }) {
    for (const { rollout, conflicts } of rollouts) {
      for (const [resolution, value] of Object.entries(conflicts ?? {}))
        yield { labels: { rollout, resolution }, value }
    }
  },
}
