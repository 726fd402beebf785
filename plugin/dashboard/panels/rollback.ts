import { TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common'
import {
  cellType,
  NAME_WIDTH,
  valueMappings,
  textMappings,
  thresholdsOverride,
  unit,
  columnWidth,
} from '../fieldOverrides.ts'
import type { FleetScope, PanelScope } from '../panelScope.ts'
import { tablePanel } from '../tablePanel.ts'
import { tableQuery } from '../targets.ts'

/** The rows in order: the four scopes, and the safeguards that they depend on. */
const ROW_NAMES = ['Flag', 'Data', 'System', 'Monitoring', 'Backup', 'Contacts', 'Automatic'] as const
const SCOPES = ['flag', 'data', 'system', 'monitoring']

const NO_VALUE =
  'No data about rollbacks. Check that Prometheus scrapes the agent and that the agent reaches its database.'

/** Adds the row number to series with a scope. */
const labelScopeRows = (vector: string) =>
  SCOPES.reduce((expr, scope, index) => `label_replace(${expr}, "row", "${index + 1}", "scope", "${scope}")`, vector)

const labelRow = (name: (typeof ROW_NAMES)[number], expr: string) =>
  `label_replace(${expr}, "row", "${ROW_NAMES.indexOf(name) + 1}", "", "")`

/** Automatic rollback is ready if it is armed and the watchdog alert, sent every minute, has reached the agent recently. */
const WATCHDOG_TIMEOUT_SECONDS = 180

/** Rounds recent times to a minute ago: “a few seconds ago” does not fit into the column. */
const clampToMinuteAgo = (seconds: string) => `1000 * clamp_max(${seconds}, time() - 45)`

const joinWithOr = (...exprs: string[]) => exprs.join(' or ')

/** The values of the rows, one for each member of a fleet. */
function rowsOf({ fleet, rollout, environment, each }: PanelScope) {
  const seen = each(environment('sti_alert_path_seen_timestamp_seconds'))
  const armed = each(rollout('sti_automatic_rollback_armed'), undefined, 'min')
  const unseen = fleet === null ? 'vector(0)' : `0 * ${armed}`
  const scopes = labelScopeRows(each(rollout('sti_rollback_ready'), 'scope', 'min'))
  const backup = labelRow('Backup', each(rollout('sti_backup_available'), undefined, 'min'))
  const automatic = labelRow(
    'Automatic',
    `${armed} * (time() - ${seen} < bool ${WATCHDOG_TIMEOUT_SECONDS} or ${unseen})`,
  )
  return {
    ready: joinWithOr(
      scopes,
      backup,
      labelRow('Contacts', each(rollout('sti_contact_confirmed'), undefined, 'min')),
      automatic,
    ),
    tested: joinWithOr(
      labelScopeRows(each(rollout('sti_rollback_verified_timestamp_seconds'), 'scope')),
      labelRow('Backup', `time() - ${each(rollout('sti_backup_age_seconds'))}`),
      labelRow('Automatic', seen),
    ),
    /** The rows that are tested, of members that report. */
    testable: joinWithOr(scopes, backup, automatic),
  }
}

/** How many members are not ready, and one of them. What a member does not report counts as not ready. */
function fleetTable(scope: PanelScope, { members, memberCount }: FleetScope) {
  const { ready } = rowsOf(scope)
  const notReady = `1 - max by (name, row) (${ready}) > 0`
  const unknown = `(${members} unless ${scope.each(scope.rollout('sti_rollback_ready'))})`
  return tablePanel(
    'How many members are not ready for each rollback, and one of them; a member that does not report counts as not ready. The duration is that of the slowest member, and the test that of the member whose last test is the oldest: by a rollback, a rehearsal, a backup, or the watchdog alert. The readiness page of a member shows the reasons.',
    NO_VALUE,
    'row',
    { 'Value #Ready': 'Not ready', name: 'Such as', 'Value #Estimate': 'Duration', 'Value #Tested': 'Last tested' },
  )
    .withTarget(tableQuery('Ready', `${memberCount} - sum by (row) (${ready})`))
    .withTarget(
      tableQuery(
        'Worst',
        `topk by (row) (1, ${notReady}) or on (row) 0 * sum by (row) (${ready}) * on () group_left (name) topk(1, ${unknown})`,
      ),
    )
    .overrideByName('Not ready', [
      cellType('color-text'),
      valueMappings(textMappings({ '0': ['none', 'green'] })),
      thresholdsOverride([null, 'red']),
      columnWidth(92),
    ])
    .overrideByName('Such as', [NAME_WIDTH])
}

/** The oldest of the last tests of the members; 0 if a member was not tested. */
function oldestTests(scope: PanelScope): string {
  const { tested, testable } = rowsOf(scope)
  return `min by (row) (max by (name, row) (${tested}) or 0 * max by (name, row) (${testable}))`
}

export function rollbackPanel(scope: PanelScope) {
  const { fleet, rollout: series } = scope
  const { ready, tested } = rowsOf(scope)
  const panel =
    fleet === null
      ? tablePanel(
          'The rollbacks that are ready now, their estimated duration, and when each was last tested: by a rollback, a rehearsal, a backup, or the watchdog alert. The readiness page shows the reasons.',
          NO_VALUE,
          'row',
          { 'Value #Ready': 'Ready', 'Value #Estimate': 'Duration', 'Value #Tested': 'Last tested' },
        ).withTarget(tableQuery('Ready', ready))
      : fleetTable(scope, fleet)
  return panel
    .sortBy([new TableSortByFieldStateBuilder().displayName('Scope').desc(false)])
    .withTarget(tableQuery('Estimate', labelScopeRows(`max by (scope) (${series('sti_rollback_estimated_seconds')})`)))
    .withTarget(tableQuery('Tested', clampToMinuteAgo(fleet === null ? tested : oldestTests(scope))))
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
    .overrideByName('Last tested', [
      unit('dateTimeFromNow'),
      ...(fleet === null ? [] : [valueMappings(textMappings({ '0': ['not in all', 'text'] }))]),
      { id: 'custom.align', value: 'left' },
      columnWidth(130),
    ])
}
