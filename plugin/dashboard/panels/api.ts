import { axisRange, colorOverride, DASHED_LIMIT_LINE, LEGEND_ONLY, ownScale, unit } from '../fieldOverrides.ts'
import { rolloutSeries } from '../promql.ts'
import { rangeQuery } from '../targets.ts'
import { timePanel } from '../timePanel.ts'

const signalLimit = (signal: string) => rolloutSeries('sti_signal_limit', `signal="${signal}"`)

const panel = timePanel(
  'Requests of the application: latency with its axis, error ratio on its own scale, throughput in the legend. The dashed lines are the limits of average and p95 latency, from the baseline.',
  'No metrics of the application. Configure them under api in the rollout file.',
)
  .withTarget(rangeQuery('Average', 'avg', `max(${rolloutSeries('sti_api_latency_average_seconds')})`))
  .withTarget(rangeQuery('P95', 'p95', `max(${rolloutSeries('sti_api_latency_p95_seconds')})`))
  .withTarget(rangeQuery('Errors', 'errors', `max(${rolloutSeries('sti_api_error_ratio')})`))
  .withTarget(rangeQuery('Throughput', 'throughput', `max(${rolloutSeries('sti_api_requests_per_second')})`))
  .withTarget(rangeQuery('AverageLimit', 'average limit', `max(${signalLimit('api-latency-average')})`))
  .withTarget(rangeQuery('P95Limit', 'p95 limit', `max(${signalLimit('api-latency-p95')})`))
  .unit('s')
  .min(0)
  .overrideByName('avg', [colorOverride('blue')])
  .overrideByName('p95', [colorOverride('purple')])
  .overrideByName('average limit', [colorOverride('blue'), ...DASHED_LIMIT_LINE])
  .overrideByName('p95 limit', [colorOverride('purple'), ...DASHED_LIMIT_LINE])
  .overrideByName('errors', [
    colorOverride('red'),
    unit('percentunit'),
    ownScale,
    ...axisRange(0),
    { id: 'custom.axisSoftMax', value: 0.01 },
  ])
  .overrideByName('throughput', [colorOverride('green'), unit('reqps'), ...LEGEND_ONLY])

export const apiPanel = { width: 8, panel }
