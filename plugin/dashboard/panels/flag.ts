import { cellType, valueMappings, thresholdsOverride, textMappings, unit, columnWidth } from '../fieldOverrides.ts'
import { seriesOfAllEnvironments } from '../promql.ts'
import { tablePanel } from '../tablePanel.ts'
import { tableQuery } from '../targets.ts'

const byEnvironment = (aggregate: 'max' | 'min', expr: string) => `${aggregate} by (environment) (${expr})`

/** Shows every environment, because the panel is for differences between environments. */
const panel = tablePanel(
  'The flag in every environment: the percentage of targeting keys, if every live client has seen the latest change, the propagation time of that change, and the 95th percentile of the last 24 hours.',
  'Prometheus scrapes no agent of this rollout. Add the agent as a target of the job sti-agent.',
  'environment',
  {
    'Value #Up': 'Agent',
    stage: 'Stage',
    'Value #State': 'Flag',
    'Value #Stale': 'In sync',
    'Value #Last': 'Propagation',
    'Value #P95': 'p95',
  },
)
  .withTarget(tableQuery('Up', byEnvironment('max', 'up{job="sti-agent"}')))
  .withTarget(tableQuery('Stage', `max by (environment, stage) (${seriesOfAllEnvironments('sti_rollout_stage')}) == 1`))
  .withTarget(
    tableQuery(
      'State',
      byEnvironment(
        'max',
        `${seriesOfAllEnvironments('sti_flag_enabled')} * ${seriesOfAllEnvironments('sti_flag_percentage')}`,
      ),
    ),
  )
  .withTarget(tableQuery('Last', byEnvironment('max', seriesOfAllEnvironments('sti_flag_propagation_last_seconds'))))
  .withTarget(
    tableQuery(
      'P95',
      `histogram_quantile(0.95, sum by (environment, le) (rate(${seriesOfAllEnvironments('sti_flag_propagation_seconds_bucket')}[24h]))) >= 0`,
    ),
  )
  .withTarget(
    tableQuery(
      'Stale',
      byEnvironment(
        'max',
        `${seriesOfAllEnvironments('sti_flag_clients', 'seen="stale"')} or (1 - ${seriesOfAllEnvironments('sti_flag_consistent')})`,
      ),
    ),
  )
  .overrideByName('environment', [{ id: 'displayName', value: 'Environment' }, columnWidth(106)])
  .overrideByName('Agent', [
    cellType('color-text'),
    valueMappings(textMappings({ '0': ['down', 'red'], '1': ['up', 'green'] })),
    columnWidth(54),
  ])
  .overrideByName('Stage', [columnWidth(88)])
  .overrideByName('Flag', [
    cellType('color-text'),
    unit('percent'),
    valueMappings(textMappings({ '0': ['off', 'text'], '100': ['on', 'green'] })),
    thresholdsOverride([null, 'purple']),
    columnWidth(50),
  ])
  .overrideByName('Propagation', [unit('s'), columnWidth(96)])
  .overrideByName('p95', [unit('s'), columnWidth(62)])
  .overrideByName('In sync', [
    cellType('color-text'),
    unit('suffix: stale'),
    valueMappings(textMappings({ '0': ['yes', 'green'] })),
    thresholdsOverride([null, 'red']),
    columnWidth(64),
  ])

export const flagPanel = { width: 14, panel }
