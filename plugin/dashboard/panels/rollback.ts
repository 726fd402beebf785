import { TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common'
import { cell, mapped, texts, unit, wide } from '../look.ts'
import { ofEnvironment, ofRollout } from '../series.ts'
import { tablePanel } from '../tablePanel.ts'
import { rows } from '../targets.ts'

/** The rows in their order: the four scopes, and what each of them leans on. */
const ROWS = ['Flag', 'Data', 'System', 'Monitoring', 'Backup', 'Contacts', 'Automatic'] as const
const SCOPES = ['flag', 'data', 'system', 'monitoring']

/** The number of its row on a series that has a scope. */
const ofScopes = (aggregate: 'max' | 'min', series: string) =>
  SCOPES.reduce(
    (expr, scope, index) => `label_replace(${expr}, "row", "${index + 1}", "scope", "${scope}")`,
    `${aggregate} by (scope) (${series})`,
  )

const row = (name: (typeof ROWS)[number], expr: string) =>
  `label_replace(${expr}, "row", "${ROWS.indexOf(name) + 1}", "", "")`

/** Armed is not enough: the watchdog, which comes each minute, has reached the agent lately. */
const PATH_SECONDS = 180
const pathLives = `(time() - max(${ofEnvironment('sti_alert_path_seen_timestamp_seconds')}) < bool ${PATH_SECONDS} or vector(0))`

/** To the minute: of what is younger Grafana says “a few seconds ago”, for which the column is too narrow. */
const ago = (seconds: string) => `1000 * clamp_max(${seconds}, time() - 45)`

const joined = (...exprs: string[]) => exprs.join(' or ')

export const rollback = tablePanel(
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
    rows(
      'Ready',
      joined(
        ofScopes('min', ofRollout('sti_rollback_ready')),
        row('Backup', `min(${ofRollout('sti_backup_available')})`),
        row('Contacts', `min(${ofRollout('sti_contact_confirmed')})`),
        row('Automatic', `min(${ofRollout('sti_automatic_rollback_armed')}) * ${pathLives}`),
      ),
    ),
  )
  .withTarget(rows('Estimate', ofScopes('max', ofRollout('sti_rollback_estimated_seconds'))))
  .withTarget(
    rows(
      'Proved',
      ago(
        joined(
          ofScopes('max', ofRollout('sti_rollback_proved_timestamp_seconds')),
          row('Backup', `time() - max(${ofRollout('sti_backup_age_seconds')})`),
          row('Automatic', `max(${ofEnvironment('sti_alert_path_seen_timestamp_seconds')})`),
        ),
      ),
    ),
  )
  .overrideByName('row', [
    { id: 'displayName', value: 'Scope' },
    mapped(texts(Object.fromEntries(ROWS.map((name, index) => [String(index + 1), [name, 'text'] as const])))),
    wide(86),
  ])
  .overrideByName('Ready', [
    cell('color-text'),
    mapped(texts({ '0': ['not ready', 'red'], '1': ['ready', 'green'] })),
    wide(78),
  ])
  .overrideByName('Takes', [unit('s'), wide(60)])
  .overrideByName('Proved', [unit('dateTimeFromNow'), { id: 'custom.align', value: 'left' }])
