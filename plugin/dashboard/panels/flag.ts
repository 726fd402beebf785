import { cell, mapped, stepped, texts, unit, wide } from '../look.ts'
import { everywhere } from '../series.ts'
import { tablePanel } from '../tablePanel.ts'
import { rows } from '../targets.ts'

const by = (aggregate: 'max' | 'min', expr: string) => `${aggregate} by (environment) (${expr})`

/** Every environment, whatever the dashboard shows: a flag that differs between them is what one looks for here. */
export const flag = tablePanel(
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
  .withTarget(rows('Up', by('max', 'up{job="sti-agent"}')))
  .withTarget(rows('Stage', `max by (environment, stage) (${everywhere('sti_rollout_stage')}) == 1`))
  .withTarget(rows('State', by('max', `${everywhere('sti_flag_enabled')} * ${everywhere('sti_flag_percentage')}`)))
  .withTarget(rows('Last', by('max', everywhere('sti_flag_propagation_last_seconds'))))
  .withTarget(
    rows(
      'P95',
      `histogram_quantile(0.95, sum by (environment, le) (rate(${everywhere('sti_flag_propagation_seconds_bucket')}[24h]))) >= 0`,
    ),
  )
  .withTarget(
    rows(
      'Stale',
      by('max', `${everywhere('sti_flag_clients', 'seen="stale"')} or (1 - ${everywhere('sti_flag_consistent')})`),
    ),
  )
  .overrideByName('environment', [{ id: 'displayName', value: 'Environment' }, wide(100)])
  .overrideByName('Agent', [
    cell('color-text'),
    mapped(texts({ '0': ['down', 'red'], '1': ['up', 'green'] })),
    wide(58),
  ])
  .overrideByName('Stage', [wide(92)])
  .overrideByName('Flag', [
    cell('color-text'),
    unit('percent'),
    mapped(texts({ '0': ['off', 'text'], '100': ['on', 'green'] })),
    stepped([null, 'purple']),
    wide(50),
  ])
  .overrideByName('Seen in', [unit('s'), wide(64)])
  .overrideByName('p95', [unit('s')])
  .overrideByName('In sync', [
    cell('color-text'),
    unit('suffix: stale'),
    mapped(texts({ '0': ['yes', 'green'] })),
    stepped([null, 'red']),
    wide(64),
  ])
