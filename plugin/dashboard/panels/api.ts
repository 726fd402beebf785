import { between, colored, DASHED, LEGEND_ONLY, rightAxis, unit } from '../look.ts'
import { ofRollout } from '../series.ts'
import { over } from '../targets.ts'
import { timePanel } from '../timePanel.ts'

const limit = (signal: string) => ofRollout('sti_signal_limit', `signal="${signal}"`)

export const api = timePanel(
  'API Performance Monitor',
  'The application’s answers: time on the left, errors on the right, requests per second in the legend. Dashed: what average and p95 may reach by the baseline.',
  'The application’s metrics are not known. Say in the rollout file, under api, where they are.',
)
  .withTarget(over('Average', 'avg', `max(${ofRollout('sti_api_latency_average_seconds')})`))
  .withTarget(over('P95', 'p95', `max(${ofRollout('sti_api_latency_p95_seconds')})`))
  .withTarget(over('Errors', 'errors', `max(${ofRollout('sti_api_error_ratio')})`))
  .withTarget(over('Throughput', 'throughput', `max(${ofRollout('sti_api_requests_per_second')})`))
  .withTarget(over('AverageLimit', 'average limit', `max(${limit('api-latency-average')})`))
  .withTarget(over('P95Limit', 'p95 limit', `max(${limit('api-latency-p95')})`))
  .unit('s')
  .min(0)
  .overrideByName('avg', [colored('blue')])
  .overrideByName('p95', [colored('purple')])
  .overrideByName('average limit', [colored('blue'), ...DASHED])
  .overrideByName('p95 limit', [colored('purple'), ...DASHED])
  .overrideByName('errors', [
    colored('red'),
    unit('percentunit'),
    rightAxis,
    ...between(0),
    { id: 'custom.axisSoftMax', value: 0.01 },
  ])
  .overrideByName('throughput', [colored('green'), unit('reqps'), ...LEGEND_ONLY])
