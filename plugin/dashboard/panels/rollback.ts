import { TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common'
import { cellType, valueMappings, textMappings, unit, columnWidth } from '../fieldOverrides.ts'
import { environmentSeries, rolloutSeries } from '../promql.ts'
import { tablePanel } from '../tablePanel.ts'
import { tableQuery } from '../targets.ts'

/** The rows in order: the four scopes, and the safeguards that they depend on. */
const ROW_NAMES = ['Flag', 'Data', 'System', 'Monitoring', 'Backup', 'Contacts', 'Automatic'] as const
const SCOPES = ['flag', 'data', 'system', 'monitoring']

/** Adds the row number to series with a scope. */
const labelScopeRows = (aggregate: 'max' | 'min', series: string) =>
  SCOPES.reduce(
    (expr, scope, index) => `label_replace(${expr}, "row", "${index + 1}", "scope", "${scope}")`,
    `${aggregate} by (scope) (${series})`,
  )

const labelRow = (name: (typeof ROW_NAMES)[number], expr: string) =>
  `label_replace(${expr}, "row", "${ROW_NAMES.indexOf(name) + 1}", "", "")`

/** Automatic rollback is ready if it is armed and the watchdog alert, sent every minute, has reached the agent recently. */
const WATCHDOG_TIMEOUT_SECONDS = 180
const watchdogAlive = `(time() - max(${environmentSeries('sti_alert_path_seen_timestamp_seconds')}) < bool ${WATCHDOG_TIMEOUT_SECONDS} or vector(0))`

/** Rounds recent times to a minute ago: “a few seconds ago” does not fit into the column. */
const clampToMinuteAgo = (seconds: string) => `1000 * clamp_max(${seconds}, time() - 45)`

const joinWithOr = (...exprs: string[]) => exprs.join(' or ')

const panel = tablePanel(
  'The rollbacks that are ready now, their estimated duration, and when each was last tested: by a rollback, a rehearsal, a backup, or the watchdog alert. The readiness page shows the reasons.',
  'No data about rollbacks. Check that Prometheus scrapes the agent and that the agent reaches its database.',
  'row',
  { 'Value #Ready': 'Ready', 'Value #Estimate': 'Duration', 'Value #Tested': 'Last tested' },
)
  .sortBy([new TableSortByFieldStateBuilder().displayName('Scope').desc(false)])
  .withTarget(
    tableQuery(
      'Ready',
      joinWithOr(
        labelScopeRows('min', rolloutSeries('sti_rollback_ready')),
        labelRow('Backup', `min(${rolloutSeries('sti_backup_available')})`),
        labelRow('Contacts', `min(${rolloutSeries('sti_contact_confirmed')})`),
        labelRow('Automatic', `min(${rolloutSeries('sti_automatic_rollback_armed')}) * ${watchdogAlive}`),
      ),
    ),
  )
  .withTarget(tableQuery('Estimate', labelScopeRows('max', rolloutSeries('sti_rollback_estimated_seconds'))))
  .withTarget(
    tableQuery(
      'Tested',
      clampToMinuteAgo(
        joinWithOr(
          labelScopeRows('max', rolloutSeries('sti_rollback_verified_timestamp_seconds')),
          labelRow('Backup', `time() - max(${rolloutSeries('sti_backup_age_seconds')})`),
          labelRow('Automatic', `max(${environmentSeries('sti_alert_path_seen_timestamp_seconds')})`),
        ),
      ),
    ),
  )
  .overrideByName('row', [
    { id: 'displayName', value: 'Scope' },
    valueMappings(
      textMappings(Object.fromEntries(ROW_NAMES.map((name, index) => [String(index + 1), [name, 'text'] as const]))),
    ),
    columnWidth(86),
  ])
  .overrideByName('Ready', [
    cellType('color-text'),
    valueMappings(textMappings({ '0': ['not ready', 'red'], '1': ['ready', 'green'] })),
    columnWidth(78),
  ])
  .overrideByName('Duration', [unit('s'), columnWidth(80)])
  .overrideByName('Last tested', [unit('dateTimeFromNow'), { id: 'custom.align', value: 'left' }, columnWidth(130)])

export const rollbackPanel = { width: 10, panel }
