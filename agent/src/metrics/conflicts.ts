import type { MetricFamily } from './metricFamily.ts'

export const conflictTotals: MetricFamily = {
  name: 'sti_conflicts_total',
  type: 'counter',
  help: 'Writes of legacy columns and a type that disagree, by what became of them; absent before finalize.',
  labels: ['rollout', 'resolution'],
  *samples({ rollouts }) {
    for (const { rollout, conflicts } of rollouts) {
      for (const [resolution, value] of Object.entries(conflicts ?? {}))
        yield { labels: { rollout, resolution }, value }
    }
  },
}
