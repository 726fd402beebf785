import { between, colored, LEGEND_ONLY, rightAxis, unit } from '../look.ts'
import { ofEnvironment } from '../series.ts'
import { over } from '../targets.ts'
import { timePanel } from '../timePanel.ts'

export const database = timePanel(
  'Database Health Checker',
  'PostgreSQL: time of statements and of waiting for locks on the left, buffer hits on the right, connections in the legend.',
  'The agent reads nothing of PostgreSQL. Its role needs pg_monitor, and its log says what else is missing.',
)
  .withTarget(over('Query', 'query time', `max(${ofEnvironment('sti_database_query_seconds')})`))
  .withTarget(over('Lock', 'lock wait', `max(${ofEnvironment('sti_database_lock_wait_seconds')})`))
  .withTarget(over('Hits', 'buffer hits', `min(${ofEnvironment('sti_database_buffer_hit_ratio')})`))
  .withTarget(over('Active', 'active', `max(${ofEnvironment('sti_database_connections', 'state="active"')})`))
  .withTarget(
    over(
      'Used',
      'of limit',
      `sum(max by (state) (${ofEnvironment('sti_database_connections')})) / max(${ofEnvironment('sti_database_connections_limit')})`,
    ),
  )
  .withTarget(over('Waiters', 'lock waiters', `max(${ofEnvironment('sti_database_lock_waiters')})`))
  .unit('s')
  .min(0)
  .overrideByQuery('Query', [colored('blue')])
  .overrideByQuery('Lock', [colored('orange')])
  .overrideByQuery('Hits', [colored('green'), unit('percentunit'), rightAxis, ...between(0, 1)])
  .overrideByQuery('Active', [colored('purple'), unit('suffix: conn.'), LEGEND_ONLY])
  .overrideByQuery('Used', [colored('text'), unit('percentunit'), LEGEND_ONLY])
  .overrideByQuery('Waiters', [colored('yellow'), unit('none'), LEGEND_ONLY])
