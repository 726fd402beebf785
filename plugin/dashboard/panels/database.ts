import { between, colored, decimals, LEGEND_ONLY, rightAxis, unit } from '../look.ts'
import { ofEnvironment } from '../series.ts'
import { over } from '../targets.ts'
import { timePanel } from '../timePanel.ts'

export const database = timePanel(
  'Database Health Checker',
  'PostgreSQL: time of statements and of waiting for locks on the left, buffer hits on the right, active connections, the part of the limit in use, and sessions that wait for a lock in the legend.',
  'The agent reads nothing of PostgreSQL. Its role needs pg_monitor, and its log says what else is missing.',
)
  .withTarget(over('Query', 'query', `max(${ofEnvironment('sti_database_query_seconds')})`))
  .withTarget(over('Lock', 'lock wait', `max(${ofEnvironment('sti_database_lock_wait_seconds')})`))
  .withTarget(over('Hits', 'buffer hits', `min(${ofEnvironment('sti_database_buffer_hit_ratio')})`))
  .withTarget(over('Active', 'active', `max(${ofEnvironment('sti_database_connections', 'state="active"')})`))
  .withTarget(
    over(
      'Used',
      'used',
      `sum(max by (state) (${ofEnvironment('sti_database_connections')})) / max(${ofEnvironment('sti_database_connections_limit')})`,
    ),
  )
  .withTarget(over('Waiters', 'queue', `max(${ofEnvironment('sti_database_lock_waiters')})`))
  .unit('s')
  .min(0)
  .overrideByName('query', [colored('blue')])
  .overrideByName('lock wait', [colored('orange')])
  .overrideByName('buffer hits', [colored('green'), unit('percentunit'), rightAxis, ...between(0, 1)])
  .overrideByName('active', [colored('purple'), unit('none'), ...LEGEND_ONLY])
  .overrideByName('used', [colored('text'), unit('percentunit'), decimals(0), ...LEGEND_ONLY])
  .overrideByName('queue', [colored('yellow'), unit('none'), ...LEGEND_ONLY])
