import { axisRange, colorOverride, decimals, LEGEND_ONLY, ownScale, unit } from '../fieldOverrides.ts'
import { type PanelScope, WORST_MEMBERS } from '../panelScope.ts'
import { rangeQuery } from '../targets.ts'
import { timePanel, withLine } from '../timePanel.ts'

const DESCRIPTION =
  'PostgreSQL: query time and lock wait with their axis, buffer hit ratio on its own scale; active connections, connection usage, and sessions that wait for a lock in the legend.'
const FLEET_DESCRIPTION =
  'PostgreSQL: query time of the three members where it is highest (solid, dashed, and dotted), the longest lock wait and the lowest buffer hit ratio with the name of the member, all in the time range of the dashboard; in the legend the active connections and the sessions that wait for a lock, both of all members, and the highest connection usage of a member. Members on one server have its connections each.'

export function databasePanel(scope: PanelScope) {
  const { fleet, environment: series, each, sum } = scope
  const panel = timePanel(
    scope,
    fleet === null ? DESCRIPTION : FLEET_DESCRIPTION,
    'No metrics of PostgreSQL. Grant pg_monitor to the agent’s role, and see the agent’s log.',
  )
    .unit('s')
    .min(0)
  withLine(panel, scope, {
    refId: 'Query',
    name: 'query',
    series: series('sti_database_query_seconds'),
    color: 'blue',
    members: WORST_MEMBERS,
  })
  withLine(panel, scope, {
    refId: 'Lock',
    name: 'lock wait',
    series: series('sti_database_lock_wait_seconds'),
    color: 'orange',
  })
  withLine(panel, scope, {
    refId: 'Hits',
    name: 'buffer hits',
    series: series('sti_database_buffer_hit_ratio'),
    color: 'green',
    properties: [unit('percentunit'), ownScale, ...axisRange(0, 1)],
    worse: 'lowest',
  })
  const connections = each(series('sti_database_connections'), 'state')
  const limit = each(series('sti_database_connections_limit'))
  return panel
    .withTarget(rangeQuery('Active', 'active', sum(series('sti_database_connections', 'state="active"'))))
    .withTarget(
      rangeQuery(
        'Used',
        'used',
        fleet === null ? `sum(${connections}) / ${limit}` : `max(sum by (name) (${connections}) / ${limit})`,
      ),
    )
    .withTarget(rangeQuery('Waiters', 'queue', sum(series('sti_database_lock_waiters'))))
    .overrideByName('active', [colorOverride('purple'), unit('none'), ...LEGEND_ONLY])
    .overrideByName('used', [colorOverride('text'), unit('percentunit'), decimals(0), ...LEGEND_ONLY])
    .overrideByName('queue', [colorOverride('yellow'), unit('none'), ...LEGEND_ONLY])
}
