import { cellType, valueMappings, thresholdsOverride, textMappings, unit, columnWidth } from '../fieldOverrides.ts'
import { seriesOfAllEnvironments } from '../promql.ts'
import { tablePanel } from '../tablePanel.ts'
import { tableQuery } from '../targets.ts'

const byEnvironment = (aggregate: 'max' | 'min', expr: string) => `${aggregate} by (environment) (${expr})`

/** Every environment, whatever the dashboard shows: a flag that differs between them is what one looks for here. */
export const flagPanel = tablePanel(
  'Feature Flag Status',
  'The flag in every environment: for how many keys it is on, whether every live client has seen its last change, how long that took, and how long it takes at most in 95 of 100 changes of the last day.',
  'No agent of this rollout is scraped. Prometheus needs it as a target of the job sti-agent.',
  'environment',
  {
    'Value #Up': 'Agent',
    stage: 'Stage',
    'Value #State': 'Flag',
    'Value #Stale': 'In sync',
    'Value #Last': 'Seen in',
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
  .overrideByName('environment', [{ id: 'displayName', value: 'Environment' }, columnWidth(100)])
  .overrideByName('Agent', [
    cellType('color-text'),
    valueMappings(textMappings({ '0': ['down', 'red'], '1': ['up', 'green'] })),
    columnWidth(58),
  ])
  .overrideByName('Stage', [columnWidth(92)])
  .overrideByName('Flag', [
    cellType('color-text'),
    unit('percent'),
    valueMappings(textMappings({ '0': ['off', 'text'], '100': ['on', 'green'] })),
    thresholdsOverride([null, 'purple']),
    columnWidth(50),
  ])
  .overrideByName('Seen in', [unit('s'), columnWidth(64)])
  .overrideByName('p95', [unit('s')])
  .overrideByName('In sync', [
    cellType('color-text'),
    unit('suffix: stale'),
    valueMappings(textMappings({ '0': ['yes', 'green'] })),
    thresholdsOverride([null, 'red']),
    columnWidth(64),
  ])
