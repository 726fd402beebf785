import type { ApiReadings } from '../signals/apiReadings.ts'
import { readingToSamples, type MetricFamily } from './metricFamily.ts'

function apiGauge(name: MetricFamily['name'], help: string, reading: keyof ApiReadings): MetricFamily {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['rollout'],
    *samples({ allRollouts: all, signals }) {
      for (const { rollout } of all) yield* readingToSamples({ rollout }, signals.api(rollout)[reading])
    },
  }
}

export const apiMetrics = [
  apiGauge('sti_api_latency_average_seconds', 'Mean time of a request of the application.', 'latencyAverage'),
  apiGauge('sti_api_latency_p95_seconds', '95th percentile of the time of a request of the application.', 'latencyP95'),
  apiGauge('sti_api_error_ratio', 'Failed requests / all requests of the application.', 'errorRatio'),
  apiGauge('sti_api_requests_per_second', 'Requests that the application answers per second.', 'requestRate'),
]
