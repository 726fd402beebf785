import { SIGNALS } from '../contract/signals.ts'
import type { ApiValues } from '../signals/apiScraper.ts'
import { readingToSamples, type MetricFamily } from './metricFamily.ts'

function apiGauge(name: MetricFamily['name'], help: string, reading: keyof ApiValues): MetricFamily {
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
  apiGauge('sti_api_latency_average_seconds', SIGNALS['api-latency-average'].help, 'latencyAverage'),
  apiGauge('sti_api_latency_p95_seconds', SIGNALS['api-latency-p95'].help, 'latencyP95'),
  apiGauge('sti_api_error_ratio', SIGNALS['api-error-ratio'].help, 'errorRatio'),
  apiGauge('sti_api_requests_per_second', SIGNALS['api-request-rate'].help, 'requestRate'),
]
