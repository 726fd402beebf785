import { TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common'
import { cellType, valueMappings, textMappings, unit, columnWidth } from '../fieldOverrides.ts'
import { environmentSeries, rolloutSeries } from '../promql.ts'
import { tablePanel } from '../tablePanel.ts'
import { tableQuery } from '../targets.ts'

/** The rows in their order: the four scopes, and what each of them leans on. */
const ROW_NAMES = ['Flag', 'Data', 'System', 'Monitoring', 'Backup', 'Contacts', 'Automatic'] as const
const SCOPES = ['flag', 'data', 'system', 'monitoring']

/** The number of its row on a series that has a scope. */
const labelScopeRows = (aggregate: 'max' | 'min', series: string) =>
  SCOPES.reduce(
    (expr, scope, index) => `label_replace(${expr}, "row", "${index + 1}", "scope", "${scope}")`,
    `${aggregate} by (scope) (${series})`,
  )

const labelRow = (name: (typeof ROW_NAMES)[number], expr: string) =>
  `label_replace(${expr}, "row", "${ROW_NAMES.indexOf(name) + 1}", "", "")`

/** Armed is not enough: the watchdog, which comes each minute, has reached the agent lately. */
const WATCHDOG_TIMEOUT_SECONDS = 180
const watchdogAlive = `(time() - max(${environmentSeries('sti_alert_path_seen_timestamp_seconds')}) < bool ${WATCHDOG_TIMEOUT_SECONDS} or vector(0))`

/** To the minute: of what is younger Grafana says “a few seconds ago”, for which the column is too narrow. */
const clampToMinuteAgo = (seconds: string) => `1000 * clamp_max(${seconds}, time() - 45)`

const joinWithOr = (...exprs: string[]) => exprs.join(' or ')

export const rollbackPanel = tablePanel(
  'Rollback Readiness',
  'What could be taken back now, how long it would take, and when that was last shown: by a rollback, a rehearsal, the backup, the watchdog of the alerts. The bar above says why not.',
  'The agent has not answered yet what could be rolled back. Is it scraped, and does it reach its database?',
  'row',
  { 'Value #Ready': 'Ready', 'Value #Estimate': 'Takes', 'Value #Proved': 'Proved' },
)
  // Seven rows fill the panel, and what is in them speaks for itself.
  .showHeader(false)
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
      'Proved',
      clampToMinuteAgo(
        joinWithOr(
          labelScopeRows('max', rolloutSeries('sti_rollback_proved_timestamp_seconds')),
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
  .overrideByName('Takes', [unit('s'), columnWidth(60)])
  .overrideByName('Proved', [unit('dateTimeFromNow'), { id: 'custom.align', value: 'left' }])
