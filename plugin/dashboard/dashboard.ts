import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  PanelBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard'
import {
  DASHBOARD_PANELS,
  DASHBOARD_UID,
  type DashboardPanelTitle,
} from '../../agent/src/provisioning/dashboardPanels.ts'
import { apiPanel } from './panels/api.ts'
import { databasePanel } from './panels/database.ts'
import { errorsPanel } from './panels/errors.ts'
import { flagPanel } from './panels/flag.ts'
import { hostPanel } from './panels/host.ts'
import { integrityPanel } from './panels/integrity.ts'
import { progressPanel } from './panels/progress.ts'
import { rollbackPanel } from './panels/rollback.ts'
import { variables } from './variables.ts'

/** Room for the steps below the incident banner, or for the steps and a failed operation, without scrolling. */
const ACTION_BAR_HEIGHT = 9
/** Room for seven rows below the heading of a table, for nine values, and for five lines of a legend. */
const PANEL_HEIGHT = 10
const GRID_COLUMNS = 24

/** The panel of each title; DASHBOARD_PANELS decides about order and ids. Grafana's grid has 24 columns. */
const PANELS = {
  'STI Progress Tracker': progressPanel,
  'API Performance Monitor': apiPanel,
  'Database Health Checker': databasePanel,
  'System Resource Monitor': hostPanel,
  'Error Rate Tracker': errorsPanel,
  'Data Integrity Validator': integrityPanel,
  'Feature Flag Status': flagPanel,
  'Rollback Readiness': rollbackPanel,
} as const satisfies Record<DashboardPanelTitle, { readonly width: number; readonly panel: object }>

const actionBarPanel = new PanelBuilder()
  .id(DASHBOARD_PANELS.length + 1)
  .type('sti-rollout-panel')
  .title('')
  .transparent(true)
  .options({ agent: '${agent}', rollout: '${rollout}' })
  .gridPos({ x: 0, y: 0, w: GRID_COLUMNS, h: ACTION_BAR_HEIGHT })

const eventAnnotations = new AnnotationQueryBuilder()
  .name('Operations and flag')
  .datasource({ type: 'sti-rollout-datasource', uid: '${agent}' })
  .enable(true)
  .iconColor('blue')
  .target({ build: () => ({ refId: 'Anno', rollout: '$rollout', _implementsDataqueryVariant() {} }) })

/** The dashboard as JSON. */
export function buildDashboard(): unknown {
  const builder = new DashboardBuilder('STI Rollout Monitoring')
    .uid(DASHBOARD_UID)
    .description('Monitoring of the migration of a live table to single-table inheritance')
    .tags(['sti-rollout'])
    .editable()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-15m', to: 'now' })
    .refresh('5s')
    .timezone('browser')
    .variables(variables)
    .annotation(eventAnnotations)
    .link(
      new DashboardLinkBuilder('Rollout')
        .type(DashboardLinkType.Link)
        .icon('bolt')
        .tooltip('Open the rollout page with operations, validation, and failed rows')
        .url('/a/sti-rollout-app/rollouts/${environment}/${rollout}'),
    )
    .withPanel(actionBarPanel)
  let x = 0
  let y = ACTION_BAR_HEIGHT
  DASHBOARD_PANELS.forEach((title, index) => {
    const { panel, width } = PANELS[title]
    if (x + width > GRID_COLUMNS) {
      x = 0
      y += PANEL_HEIGHT
    }
    builder.withPanel(
      panel
        .title(title)
        .id(index + 1)
        .gridPos({ x, y, w: width, h: PANEL_HEIGHT }),
    )
    x += width
  })
  return JSON.parse(JSON.stringify(builder.build()))
}
