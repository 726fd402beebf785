import { toSamples, type MetricFamily, type HistogramFamily } from './metricFamily.ts'
import type { RolloutReadings } from './metricsSource.ts'

/** Read from memory: the values stay valid while the database is unavailable. */
function flagGauge(
  name: MetricFamily['name'],
  help: string,
  value: (flag: RolloutReadings['flag']) => number | null,
): MetricFamily {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['rollout'],
    *samples({ allRollouts }) {
      for (const { rollout, flag } of allRollouts) yield* toSamples({ rollout }, value(flag))
    },
  }
}

export const flagMetrics = [
  flagGauge('sti_flag_enabled', '1 if the flag is on.', ({ enabled }) => Number(enabled)),
  flagGauge(
    'sti_flag_percentage',
    'Percentage of targeting keys that evaluate to on while the flag is on, 0 to 100.',
    ({ percentage }) => percentage,
  ),
  flagGauge('sti_flag_consistent', '1 if no client is stale.', ({ consistent }) => Number(consistent)),
  flagGauge(
    'sti_flag_propagation_last_seconds',
    'Propagation time of the last change: until every live client has evaluated the new state.',
    ({ lastPropagationSeconds }) => lastPropagationSeconds,
  ),
]

export const flagClients: MetricFamily = {
  name: 'sti_flag_clients',
  type: 'gauge',
  help: 'Clients of the flag: current clients have evaluated it since its last change, stale clients may still use an older state.',
  labels: ['rollout', 'seen'],
  *samples({ allRollouts }) {
    for (const { rollout, flag } of allRollouts) {
      const stale = flag.clients.filter((client) => client.stale).length
      yield { labels: { rollout, seen: 'current' }, value: flag.clients.length - stale }
      yield { labels: { rollout, seen: 'stale' }, value: stale }
    }
  },
}

export const flagPropagation: HistogramFamily = {
  name: 'sti_flag_propagation_seconds',
  type: 'histogram',
  help: 'Propagation time of a change of the flag: until every live client has evaluated the new state.',
  labels: ['rollout'],
  buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60],
}
