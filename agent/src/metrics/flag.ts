import { toSamples, type MetricFamily, type HistogramFamily } from './metricFamily.ts'
import type { RolloutReadings } from './metricsSource.ts'

/** From memory: these stay true while the database is away. */
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
    *samples({ allRollouts: all }) {
      for (const { rollout, flag } of all) yield* toSamples({ rollout }, value(flag))
    },
  }
}

export const flagMetrics = [
  flagGauge('sti_flag_enabled', '1 when the flag is on.', ({ enabled }) => Number(enabled)),
  flagGauge(
    'sti_flag_percentage',
    'Targeting keys that get on while the flag is on, 0 to 100.',
    ({ percentage }) => percentage,
  ),
  flagGauge('sti_flag_consistent', '1 when no client is stale.', ({ consistent }) => Number(consistent)),
  flagGauge(
    'sti_flag_propagation_last_seconds',
    'From the last change to the last live client that has seen it.',
    ({ lastPropagationSeconds }) => lastPropagationSeconds,
  ),
]

export const flagClients: MetricFamily = {
  name: 'sti_flag_clients',
  type: 'gauge',
  help: 'Clients of the flag: current have asked since its last change, stale may still act on an older state.',
  labels: ['rollout', 'seen'],
  *samples({ allRollouts: all }) {
    for (const { rollout, flag } of all) {
      const stale = flag.clients.filter((client) => client.stale).length
      yield { labels: { rollout, seen: 'current' }, value: flag.clients.length - stale }
      yield { labels: { rollout, seen: 'stale' }, value: stale }
    }
  },
}

export const flagPropagation: HistogramFamily = {
  name: 'sti_flag_propagation_seconds',
  type: 'histogram',
  help: 'From a change of the flag to the last live client that has seen it.',
  labels: ['rollout'],
  buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60],
}
