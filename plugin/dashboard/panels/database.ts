import { axisRange, colorOverride, decimals, LEGEND_ONLY, ownScale, unit } from '../fieldOverrides.ts'
import { environmentSeries } from '../promql.ts'
import { rangeQuery } from '../targets.ts'
import { timePanel } from '../timePanel.ts'

const panel = timePanel(
  'PostgreSQL: query time and lock wait with their axis, buffer hit ratio on its own scale; active connections, connection usage, and sessions that wait for a lock in the legend.',
  'No metrics of PostgreSQL. Grant pg_monitor to the agent’s role, and see the agent’s log.',
)
  .withTarget(rangeQuery('Query', 'query', `max(${environmentSeries('sti_database_query_seconds')})`))
  .withTarget(rangeQuery('Lock', 'lock wait', `max(${environmentSeries('sti_database_lock_wait_seconds')})`))
  .withTarget(rangeQuery('Hits', 'buffer hits', `min(${environmentSeries('sti_database_buffer_hit_ratio')})`))
  .withTarget(rangeQuery('Active', 'active', `max(${environmentSeries('sti_database_connections', 'state="active"')})`))
  .withTarget(
    rangeQuery(
      'Used',
      'used',
      `sum(max by (state) (${environmentSeries('sti_database_connections')})) / max(${environmentSeries('sti_database_connections_limit')})`,
    ),
  )
  .withTarget(rangeQuery('Waiters', 'queue', `max(${environmentSeries('sti_database_lock_waiters')})`))
  .unit('s')
  .min(0)
  .overrideByName('query', [colorOverride('blue')])
  .overrideByName('lock wait', [colorOverride('orange')])
  .overrideByName('buffer hits', [colorOverride('green'), unit('percentunit'), ownScale, ...axisRange(0, 1)])
  .overrideByName('active', [colorOverride('purple'), unit('none'), ...LEGEND_ONLY])
  .overrideByName('used', [colorOverride('text'), unit('percentunit'), decimals(0), ...LEGEND_ONLY])
  .overrideByName('queue', [colorOverride('yellow'), unit('none'), ...LEGEND_ONLY])

export const databasePanel = { width: 8, panel }
