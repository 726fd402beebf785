import {
  axisRange,
  colorOverride,
  DASHED_LIMIT_LINE,
  LEGEND_ONLY,
  NOT_IN_LEGEND,
  ownScale,
  unit,
} from '../fieldOverrides.ts'
import { type FleetScope, type PanelScope, WORST_MEMBERS } from '../panelScope.ts'
import { rangeQuery } from '../targets.ts'
import { timePanel, withLine } from '../timePanel.ts'

const NO_VALUE = 'No metrics of the application. Configure them under api in the rollout file.'

const errorScale = [unit('percentunit'), ownScale, ...axisRange(0), { id: 'custom.axisSoftMax', value: 0.01 }]
const errorSeries = (color: string) => [colorOverride(color), ...errorScale]

export function apiPanel(scope: PanelScope) {
  if (scope.fleet !== null) return fleetApiPanel(scope, scope.fleet)
  const { rollout: series, each } = scope
  const signalLimit = (signal: string) => each(series('sti_signal_limit', `signal="${signal}"`))
  const variantSeries = (name: string, variant: 'on' | 'off') => each(series(name, `variant="${variant}"`))
  return timePanel(
    scope,
    'Requests of the application: latency with its axis, error ratio on its own scale, throughput in the legend. While the flag is on for a part of the users, requests with the flag on (new code) and off are drawn separately: the averages in orange and light blue, the errors in dark and light red. The values of both are in the tooltip, that of the average with the flag on also in the legend. The dashed lines are the limits of average and p95 latency, from the baseline.',
    NO_VALUE,
  )
    .withTarget(rangeQuery('Average', 'avg', each(series('sti_api_latency_average_seconds'))))
    .withTarget(rangeQuery('P95', 'p95', each(series('sti_api_latency_p95_seconds'))))
    .withTarget(rangeQuery('Errors', 'errors', each(series('sti_api_error_ratio'))))
    .withTarget(rangeQuery('Throughput', 'throughput', each(series('sti_api_requests_per_second'))))
    .withTarget(rangeQuery('AverageOn', 'avg on', variantSeries('sti_variant_latency_average_seconds', 'on')))
    .withTarget(rangeQuery('AverageOff', 'avg off', variantSeries('sti_variant_latency_average_seconds', 'off')))
    .withTarget(rangeQuery('ErrorsOn', 'errors on', variantSeries('sti_variant_error_ratio', 'on')))
    .withTarget(rangeQuery('ErrorsOff', 'errors off', variantSeries('sti_variant_error_ratio', 'off')))
    .withTarget(rangeQuery('AverageLimit', 'average limit', signalLimit('api-latency-average')))
    .withTarget(rangeQuery('P95Limit', 'p95 limit', signalLimit('api-latency-p95')))
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
}

/** The limits of the members differ, so that only the number of members above a limit is shown. */
function fleetApiPanel(scope: PanelScope, { countOrZero }: FleetScope) {
  const { rollout: series, each, sum } = scope
  const panel = timePanel(
    scope,
    'Requests of the applications: p95 latency of the three members where it is highest (solid, dashed, and dotted), and average latency and error ratio of the member where each is highest, all in the time range of the dashboard. The legend has the throughput of all members and how many members are above a limit of latency or errors, from their baselines.',
    NO_VALUE,
  )
    .unit('s')
    .min(0)
  withLine(panel, scope, {
    refId: 'P95',
    name: 'p95',
    series: series('sti_api_latency_p95_seconds'),
    color: 'purple',
    members: WORST_MEMBERS,
  })
  withLine(panel, scope, {
    refId: 'Average',
    name: 'avg',
    series: series('sti_api_latency_average_seconds'),
    color: 'blue',
  })
  withLine(panel, scope, {
    refId: 'Errors',
    name: 'errors',
    series: series('sti_api_error_ratio'),
    color: 'red',
    properties: errorScale,
  })
  const aboveLimit = `${each(series('sti_signal_limit_ratio', 'signal=~"api-latency-.*|api-error-ratio"'))} > 1`
  return panel
    .withTarget(rangeQuery('Throughput', 'throughput', sum(series('sti_api_requests_per_second'))))
    .withTarget(rangeQuery('AboveLimit', 'above limit', countOrZero(aboveLimit)))
    .overrideByName('throughput', [colorOverride('green'), unit('reqps'), ...LEGEND_ONLY])
    .overrideByName('above limit', [colorOverride('orange'), unit('none'), ...LEGEND_ONLY])
}
