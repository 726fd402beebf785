import type { ApiReadings } from '../signals/api.ts'
import { known, type Family } from './family.ts'

function ofApi(name: Family['name'], help: string, reading: keyof ApiReadings): Family {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['rollout'],
    *samples({ all, signals }) {
      for (const { rollout } of all) yield* known({ rollout }, signals.api(rollout)[reading])
    },
  }
}

export const api = [
  ofApi('sti_api_latency_average_seconds', 'Mean time of a request of the application.', 'latencyAverage'),
  ofApi('sti_api_latency_p95_seconds', '95th percentile of the time of a request of the application.', 'latencyP95'),
  ofApi('sti_api_error_ratio', 'Failed requests / all requests of the application.', 'errorRatio'),
  ofApi('sti_api_requests_per_second', 'Requests that the application answers per second.', 'requestRate'),
]
