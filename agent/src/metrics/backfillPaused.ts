import type { MetricFamily } from './metricFamily.ts'
import { PAUSED_BY } from './metricsSource.ts'

export const backfillPaused: MetricFamily = {
  name: 'sti_backfill_paused',
  type: 'gauge',
  help: '1 if the last backfill is paused, by who paused it: a person, the agent after an error, or an automatic rollback.',
  labels: ['rollout', 'by'],
  *samples({ rollouts }) {
    for (const { rollout, backfill } of rollouts) {
      if (!backfill) continue
      for (const by of PAUSED_BY) yield { labels: { rollout, by }, value: backfill.pausedBy === by ? 1 : 0 }
    }
  },
}
