import type { MetricFamily } from './metricFamily.ts'

/** Read from memory, and not from the readings of a rollout: this is about a database that is not available. */
export const flagPendingOff: MetricFamily = {
  name: 'sti_flag_off_pending_seconds',
  type: 'gauge',
  help: 'Seconds since the flag was turned off without the database having stored it; 0 if it has.',
  labels: ['rollout'],
  *samples({ pendingOffs }) {
    for (const { rollout, seconds } of pendingOffs) yield { labels: { rollout }, value: seconds }
  },
}
