import { TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common'
import { cell, mapped, texts, unit, wide } from '../look.ts'
import { ofRollout } from '../series.ts'
import { tablePanel } from '../tablePanel.ts'
import { rows } from '../targets.ts'

export const rollback = tablePanel(
  'Rollback Readiness',
  'What could be taken back now, and how long it would take. The bar above says why not.',
  'The agent has not answered yet what could be rolled back. Is it scraped, and does it reach its database?',
  'scope',
  { 'Value #Ready': 'Ready', 'Value #Estimate': 'Estimate' },
)
  .sortBy([new TableSortByFieldStateBuilder().displayName('Scope').desc(true)])
  .withTarget(rows('Ready', `min by (scope) (${ofRollout('sti_rollback_ready')})`))
  .withTarget(rows('Estimate', `max by (scope) (${ofRollout('sti_rollback_estimated_seconds')})`))
  .overrideByName('scope', [
    { id: 'displayName', value: 'Scope' },
    mapped(texts({ flag: ['Flag', 'text'], data: ['Data', 'text'], monitoring: ['Monitoring', 'text'] })),
    wide(90),
  ])
  .overrideByName('Ready', [cell('color-text'), mapped(texts({ '0': ['no', 'red'], '1': ['yes', 'green'] })), wide(80)])
  .overrideByName('Estimate', [unit('s')])
