import type { MetricFamily, HistogramFamily } from './metricFamily.ts'

export const operationStates: MetricFamily = {
  name: 'sti_operation_state',
  type: 'gauge',
  help: 'Operations by kind and state.',
  labels: ['rollout', 'kind', 'state'],
  *samples({ rollouts }) {
    for (const { rollout, operations } of rollouts) {
      for (const { kind, state, count } of operations) yield { labels: { rollout, kind, state }, value: count }
    }
  },
}

export const operationDurations: HistogramFamily = {
  name: 'sti_operation_duration_seconds',
  type: 'histogram',
  help: 'Duration of an operation, by the state in which it ended.',
  labels: ['rollout', 'kind', 'state'],
  buckets: [0.1, 0.5, 1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200, 86_400, 259_200],
}
