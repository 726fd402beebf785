import {
  axisRange,
  colorOverride,
  DASHED_LIMIT_LINE,
  LEGEND_ONLY,
  NOT_IN_LEGEND,
  ownScale,
  unit,
} from '../fieldOverrides.ts'
import { rolloutSeries } from '../promql.ts'
import { rangeQuery } from '../targets.ts'
import { timePanel } from '../timePanel.ts'

const signalLimit = (signal: string) => rolloutSeries('sti_signal_limit', `signal="${signal}"`)

const errorSeries = (color: string) => [
  colorOverride(color),
  unit('percentunit'),
  ownScale,
  ...axisRange(0),
  { id: 'custom.axisSoftMax', value: 0.01 },
]

const variantSeries = (name: string, variant: 'on' | 'off') => rolloutSeries(name, `variant="${variant}"`)

const panel = timePanel(
  'Requests of the application: latency with its axis, error ratio on its own scale, throughput in the legend. While the flag is on for a part of the users, requests with the flag on (new code) and off are drawn separately: the averages in orange and light blue, the errors in dark and light red. The values of both are in the tooltip, that of the average with the flag on also in the legend. The dashed lines are the limits of average and p95 latency, from the baseline.',
  'No metrics of the application. Configure them under api in the rollout file.',
)
  .withTarget(rangeQuery('Average', 'avg', `max(${rolloutSeries('sti_api_latency_average_seconds')})`))
  .withTarget(rangeQuery('P95', 'p95', `max(${rolloutSeries('sti_api_latency_p95_seconds')})`))
  .withTarget(rangeQuery('Errors', 'errors', `max(${rolloutSeries('sti_api_error_ratio')})`))
  .withTarget(rangeQuery('Throughput', 'throughput', `max(${rolloutSeries('sti_api_requests_per_second')})`))
  .withTarget(rangeQuery('AverageOn', 'avg on', `max(${variantSeries('sti_variant_latency_average_seconds', 'on')})`))
  .withTarget(
    rangeQuery('AverageOff', 'avg off', `max(${variantSeries('sti_variant_latency_average_seconds', 'off')})`),
  )
  .withTarget(rangeQuery('ErrorsOn', 'errors on', `max(${variantSeries('sti_variant_error_ratio', 'on')})`))
  .withTarget(rangeQuery('ErrorsOff', 'errors off', `max(${variantSeries('sti_variant_error_ratio', 'off')})`))
  .withTarget(rangeQuery('AverageLimit', 'average limit', `max(${signalLimit('api-latency-average')})`))
  .withTarget(rangeQuery('P95Limit', 'p95 limit', `max(${signalLimit('api-latency-p95')})`))
  .unit('s')
  .min(0)
  .overrideByName('avg', [colorOverride('blue')])
  .overrideByName('p95', [colorOverride('purple')])
  .overrideByName('avg on', [colorOverride('orange')])
  .overrideByName('avg off', [colorOverride('light-blue'), NOT_IN_LEGEND])
  .overrideByName('average limit', [colorOverride('blue'), ...DASHED_LIMIT_LINE])
  .overrideByName('p95 limit', [colorOverride('purple'), ...DASHED_LIMIT_LINE])
  .overrideByName('errors', errorSeries('red'))
  .overrideByName('errors on', [...errorSeries('dark-red'), NOT_IN_LEGEND])
  .overrideByName('errors off', [...errorSeries('light-red'), NOT_IN_LEGEND])
  .overrideByName('throughput', [colorOverride('green'), unit('reqps'), ...LEGEND_ONLY])

export const apiPanel = { width: 8, panel }
