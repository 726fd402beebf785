import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { DASHBOARD_PANELS } from '../../agent/src/provisioning/dashboardPanels.ts'
import { SERIES_NAMES } from '../../agent/src/metrics/names.ts'
import { buildDashboard, buildFleetDashboard } from './dashboard.ts'
import { generatedFiles } from './generatedFiles.ts'

interface PanelJson {
  id: number
  title: string
  type: string
  gridPos: { x: number; y: number; w: number; h: number }
  targets?: Array<{ refId: string; expr: string }>
  fieldConfig: {
    defaults: { noValue?: string }
    overrides?: Array<{ properties: Array<{ id: string; value?: unknown }> }>
  }
}

const panels = (buildDashboard() as { panels: PanelJson[] }).panels
const monitoringPanels = panels.filter(({ type }) => type !== 'sti-rollout-panel')
const fleetPanels = (buildFleetDashboard() as { panels: PanelJson[] }).panels
const allPanels = { rollout: panels, fleet: fleetPanels }
const dashboards = ['rollout', 'fleet'] as const
const seriesOf = (panel: PanelJson) =>
  new Set((panel.targets ?? []).flatMap(({ expr }) => expr.match(/\b(?:sti_\w+|up)\b/g) ?? []))

test('the panel of the rollout is above the panels, which include the eight of the plan', () => {
  const titles = monitoringPanels.map(({ title }) => title)
  expect(titles).toEqual(DASHBOARD_PANELS)
  expect(titles.slice(0, 8)).toEqual([
    'STI Progress Tracker',
    'API Performance Monitor',
    'Database Health Checker',
    'System Resource Monitor',
    'Error Rate Tracker',
    'Data Integrity Validator',
    'Feature Flag Status',
    'Rollback Readiness',
  ])
  expect(panels[0]?.type).toBe('sti-rollout-panel')
})

test('the dashboard of a fleet has the panels of a rollout, with the same IDs and texts for no data, and the members above', () => {
  const [members, ...others] = fleetPanels
  expect(members?.title).toBe('Members')
  const shared = ({ id, title, type, fieldConfig }: PanelJson) => [id, title, type, fieldConfig.defaults]
  expect(others.map(shared)).toEqual(monitoringPanels.map(shared))
})

test.each(dashboards)('every panel of the dashboard of a %s has a unique ID', (dashboard) => {
  const ids = allPanels[dashboard].map(({ id }) => id)
  expect(new Set(ids).size).toBe(ids.length)
})

test('the agent exports every series that a panel queries', () => {
  const known = new Set([...SERIES_NAMES, 'up'])
  for (const panel of [...monitoringPanels, ...fleetPanels]) {
    for (const name of seriesOf(panel)) expect(known, `${name} of ${panel.title}`).toContain(name)
  }
})

test.each([
  ['STI Progress Tracker', ['sti_backfill_progress_ratio', 'sti_backfill_processed_rows', 'sti_backfill_total_rows']],
  [
    'STI Progress Tracker',
    ['sti_backfill_rows_per_second', 'sti_backfill_remaining_seconds', 'sti_backfill_throttled'],
  ],
  ['API Performance Monitor', ['sti_api_latency_average_seconds', 'sti_api_latency_p95_seconds']],
  ['API Performance Monitor', ['sti_api_error_ratio', 'sti_api_requests_per_second', 'sti_signal_limit']],
  [
    'Database Health Checker',
    ['sti_database_connections', 'sti_database_connections_limit', 'sti_database_query_seconds'],
  ],
  [
    'Database Health Checker',
    ['sti_database_lock_wait_seconds', 'sti_database_lock_waiters', 'sti_database_buffer_hit_ratio'],
  ],
  ['System Resource Monitor', ['sti_host_cpu_ratio', 'sti_host_memory_ratio', 'sti_host_disk_used_ratio']],
  ['System Resource Monitor', ['sti_host_disk_operations_total', 'sti_host_network_bytes_total']],
  ['Error Rate Tracker', ['sti_failed_rows', 'sti_retries_total', 'sti_recovery_ratio']],
  ['Data Integrity Validator', ['sti_check_verdict', 'sti_check_discrepancies', 'sti_integrity_score_ratio']],
  [
    'Data Integrity Validator',
    ['sti_validations_total', 'sti_validation_completed_timestamp_seconds', 'sti_validation_interval_seconds'],
  ],
  ['Feature Flag Status', ['sti_flag_enabled', 'sti_flag_percentage', 'up', 'sti_rollout_stage']],
  ['Feature Flag Status', ['sti_flag_propagation_last_seconds', 'sti_flag_propagation_seconds_bucket']],
  ['Feature Flag Status', ['sti_flag_clients', 'sti_flag_consistent']],
  [
    'Rollback Readiness',
    ['sti_rollback_ready', 'sti_rollback_estimated_seconds', 'sti_rollback_verified_timestamp_seconds'],
  ],
  ['Rollback Readiness', ['sti_backup_available', 'sti_backup_age_seconds', 'sti_contact_confirmed']],
  ['Rollback Readiness', ['sti_automatic_rollback_armed', 'sti_alert_path_seen_timestamp_seconds']],
])('%s shows %j', (title, wanted) => {
  const panel = monitoringPanels.find((candidate) => candidate.title === title) as PanelJson
  expect([...seriesOf(panel)]).toEqual(expect.arrayContaining(wanted))
})

/** The lines of the variants and the limits would be too many in a fleet; these count what is above its limit. */
const ONLY_OF_A_ROLLOUT = /^sti_(variant_|signal_limit$|validations_total$)/

test('a panel of a fleet queries every series of the panel of a rollout', () => {
  for (const panel of monitoringPanels) {
    const ofFleet = seriesOf(fleetPanels.find(({ title }) => title === panel.title)!)
    const missing = [...seriesOf(panel)].filter((name) => !ofFleet.has(name) && !ONLY_OF_A_ROLLOUT.test(name))
    expect(missing, panel.title).toEqual([])
  }
})

test.each(dashboards)('each panel of a %s has a text for no data, and no panel overlaps another', (dashboard) => {
  for (const panel of [...monitoringPanels, ...fleetPanels])
    expect(panel.fieldConfig.defaults.noValue, panel.title).toMatch(/[.?]$/)
  const cells = allPanels[dashboard].flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, cell) => `${x + (cell % w)},${y + Math.floor(cell / w)}`),
  )
  expect(new Set(cells).size).toBe(cells.length)
})

/** The columns of a table are at most as wide as its panel in a window of 1280 px with Grafana's menu docked. */
test.each(dashboards)('the columns of every table of a %s fit into its panel', (dashboard) => {
  const tables = allPanels[dashboard].filter(({ type }) => type === 'table')
  expect(tables.length).toBeGreaterThan(0)
  for (const { title, gridPos, fieldConfig } of tables) {
    const widths = (fieldConfig.overrides ?? [])
      .flatMap(({ properties }) => properties)
      .filter(({ id }) => id === 'custom.width' || id === 'custom.minWidth')
      .map(({ value }) => Number(value))
    const inner = (956 * gridPos.w) / 24 - 24
    expect(
      widths.reduce((sum, width) => sum + width, 0),
      title,
    ).toBeLessThanOrEqual(inner)
  }
})

test('the committed file is up to date', () => {
  for (const { path: file, text } of generatedFiles()) {
    expect(
      readFileSync(path.resolve(import.meta.dirname, '../..', file), 'utf8') === text,
      `${file} is stale, run npm run generate`,
    ).toBe(true)
  }
})
