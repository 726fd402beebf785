import { TableSortByFieldStateBuilder } from '@grafana/grafana-foundation-sdk/common'
import {
  cellType,
  NAME_WIDTH,
  valueMappings,
  thresholdsOverride,
  textMappings,
  unit,
  columnWidth,
} from '../fieldOverrides.ts'
import type { FleetScope, PanelScope } from '../panelScope.ts'
import { seriesOfAllEnvironments } from '../promql.ts'
import { tablePanel } from '../tablePanel.ts'
import { tableQuery } from '../targets.ts'

/** The rows that fit into the table without scrolling. */
const SHOWN_MEMBERS = 8

const NO_VALUE = 'Prometheus scrapes no agent of this rollout. Add the agent as a target of the job sti-agent.'
const COLUMNS = {
  'Value #Up': 'Agent',
  stage: 'Stage',
  'Value #State': 'Flag',
  'Value #Stale': 'In sync',
  'Value #Last': 'Propagation',
  'Value #P95': 'p95',
}

/** What a row of the table is, and the values in it. */
interface Rows {
  readonly key: string
  /** One value for each row, and for each value of the labels `by`. */
  each(series: string, by?: string): string
  /** Leaves out what has no row. */
  shown(vector: string): string
  /** The rollout in every environment of the dashboard. */
  series(name: string, labels?: string): string
  /** 1 if an agent of the row responds, otherwise 0. */
  readonly up: string
}

/** Every environment, because the panel is for differences between environments. */
const ENVIRONMENT_ROWS: Rows = {
  key: 'environment',
  each: (series, by) => `max by (${by === undefined ? 'environment' : `environment, ${by}`}) (${series})`,
  shown: (vector) => vector,
  series: seriesOfAllEnvironments,
  up: 'max by (environment) (up{job="sti-agent"})',
}

/** The members with the worst trouble. */
function memberRows(scope: PanelScope, fleet: FleetScope): Rows {
  return {
    key: 'name',
    each: scope.each,
    shown: (vector) => `(${vector}) and on (name) ${worstMembers(scope, fleet)}`,
    series: scope.rollout,
    up: `1 + 0 * ${fleet.reporting} or 0 * ${fleet.silent}`,
  }
}

/** The members with the worst trouble, by the same order as on the page of the rollouts. */
function worstMembers({ rollout, environment, each }: PanelScope, { members, silent }: FleetScope): string {
  const trouble = {
    none: `0 * ${members}`,
    silent: `16 + 0 * ${silent}`,
    incident: `8 + 0 * ${each(rollout('sti_incident_open_seconds'))}`,
    database: `4 * (${each(environment('sti_database_up'))} == bool 0)`,
    stale: `2 * (${each(rollout('sti_flag_consistent'), undefined, 'min')} == bool 0)`,
    failed: `0 < bool sum by (name) (${each(rollout('sti_failed_rows'), 'sqlstate')})`,
  }
  const terms = Object.entries(trouble).map(
    ([name, vector]) => `label_replace(${vector}, "trouble", "${name}", "", "")`,
  )
  return `topk(${SHOWN_MEMBERS}, sum by (name) (${terms.join(' or ')}) and ${members})`
}

export function flagPanel(scope: PanelScope) {
  const { fleet } = scope
  const { key, each, shown, series, up } = fleet === null ? ENVIRONMENT_ROWS : memberRows(scope, fleet)
  const rates = `rate(${series('sti_flag_propagation_seconds_bucket')}[24h])`
  const buckets = fleet === null ? rates : fleet.named(rates)
  const panel = tablePanel(
    fleet === null
      ? 'The flag in every environment: the percentage of targeting keys, if every live client has seen the latest change, the propagation time of that change, and the 95th percentile of the last 24 hours.'
      : `The flag in the ${SHOWN_MEMBERS} members with the worst trouble, those that do not report first: the percentage of targeting keys, if every live client has seen the latest change, the propagation time of that change, and the 95th percentile of the last 24 hours. The panel above counts all members.`,
    NO_VALUE,
    key,
    COLUMNS,
  )
    .withTarget(tableQuery('Up', shown(up)))
    .withTarget(tableQuery('Stage', shown(`${each(series('sti_rollout_stage'), 'stage')} == 1`)))
    .withTarget(tableQuery('State', shown(each(`${series('sti_flag_enabled')} * ${series('sti_flag_percentage')}`))))
    .withTarget(tableQuery('Last', shown(each(series('sti_flag_propagation_last_seconds')))))
    .withTarget(tableQuery('P95', shown(`histogram_quantile(0.95, sum by (${key}, le) (${buckets})) >= 0`)))
    .withTarget(
      tableQuery(
        'Stale',
        shown(each(`${series('sti_flag_clients', 'seen="stale"')} or (1 - ${series('sti_flag_consistent')})`)),
      ),
    )
    .overrideByName(
      key,
      fleet === null
        ? [{ id: 'displayName', value: 'Environment' }, columnWidth(106)]
        : [{ id: 'displayName', value: 'Member' }, NAME_WIDTH],
    )
    .overrideByName('Agent', [
      cellType('color-text'),
      valueMappings(textMappings({ '0': ['down', 'red'], '1': ['up', 'green'] })),
      // The arrow of the sort needs room beside the heading.
      columnWidth(fleet === null ? 54 : 78),
    ])
    .overrideByName('Stage', [columnWidth(88)])
    .overrideByName('Flag', [
      cellType('color-text'),
      unit('percent'),
      valueMappings(textMappings({ '0': ['off', 'text'], '100': ['on', 'green'] })),
      thresholdsOverride([null, 'purple']),
      columnWidth(50),
    ])
    .overrideByName('Propagation', [unit('s'), columnWidth(96)])
    .overrideByName('p95', [unit('s'), columnWidth(62)])
    .overrideByName('In sync', [
      cellType('color-text'),
      unit('suffix: stale'),
      valueMappings(textMappings({ '0': ['yes', 'green'] })),
      thresholdsOverride([null, 'red']),
      columnWidth(64),
    ])
  return fleet === null ? panel : panel.sortBy([new TableSortByFieldStateBuilder().displayName('Agent').desc(false)])
}
