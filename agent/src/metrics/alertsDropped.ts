import type { MetricFamily } from './metricFamily.ts'
import { DROP_REASONS } from './metricsSource.ts'

export const alertsDropped: MetricFamily = {
  name: 'sti_alerts_dropped_total',
  type: 'counter',
  help: 'Alerts, or writes of decisions on them, that this agent dropped: queue-full (the sender is notified), not-valid, write-queue-full, or unstorable. An automatic rollback is never among them.',
  labels: ['reason'],
  *samples({ alertsDropped: counts }) {
    if (counts !== null) for (const reason of DROP_REASONS) yield { labels: { reason }, value: counts[reason] }
  },
}
