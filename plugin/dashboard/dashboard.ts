import type { Builder } from '@grafana/grafana-foundation-sdk/cog'
import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  type GridPos,
  type Panel,
  PanelBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard'
import {
  DASHBOARD_PANELS,
  DASHBOARD_UID,
  type DashboardPanelTitle,
  FLEET_DASHBOARD_UID,
} from '../../agent/src/provisioning/dashboardPanels.ts'
import { fleetScope, type PanelScope, rolloutScope } from './panelScope.ts'
import { apiPanel } from './panels/api.ts'
import { databasePanel } from './panels/database.ts'
import { errorsPanel } from './panels/errors.ts'
import { flagPanel } from './panels/flag.ts'
import { hostPanel } from './panels/host.ts'
import { integrityPanel } from './panels/integrity.ts'
import { membersPanel } from './panels/members.ts'
import { progressPanel } from './panels/progress.ts'
import { rollbackPanel } from './panels/rollback.ts'
import { fleetVariables, variables } from './variables.ts'

/** Room for the steps below the incident banner, or for the steps and a failed operation, without scrolling. */
const ACTION_BAR_HEIGHT = 9
/** Room for seven rows below the heading of a table, for nine values, and for five lines of a legend. */
const PANEL_HEIGHT = 10
const GRID_COLUMNS = 24

/** Room for six values in two lines on a phone. */
const MEMBERS_HEIGHT = 4
/** Room for the rows of a panel and its worst members. */
const FLEET_PANEL_HEIGHT = 12
/** Two charts in a row, since the names of members are long; a table has a row of its own. */
const FLEET_PANEL_WIDTH = 12

type GridPanel = Builder<Panel> & {
  title(title: string): GridPanel
  id(id: number): GridPanel
  gridPos(position: GridPos): GridPanel
}

/** The panel of each title; DASHBOARD_PANELS decides about order and ids. */
const PANELS = {
  'STI Progress Tracker': { build: progressPanel, width: 8, fleetWidth: FLEET_PANEL_WIDTH },
  'API Performance Monitor': { build: apiPanel, width: 8, fleetWidth: FLEET_PANEL_WIDTH },
  'Database Health Checker': { build: databasePanel, width: 8, fleetWidth: FLEET_PANEL_WIDTH },
  'System Resource Monitor': { build: hostPanel, width: 8, fleetWidth: FLEET_PANEL_WIDTH },
  'Error Rate Tracker': { build: errorsPanel, width: 8, fleetWidth: FLEET_PANEL_WIDTH },
  'Data Integrity Validator': { build: integrityPanel, width: 8, fleetWidth: FLEET_PANEL_WIDTH },
  'Feature Flag Status': { build: flagPanel, width: 14, fleetWidth: GRID_COLUMNS },
  'Rollback Readiness': { build: rollbackPanel, width: 10, fleetWidth: GRID_COLUMNS },
} as const satisfies Record<
  DashboardPanelTitle,
  { readonly build: (scope: PanelScope) => GridPanel; readonly width: number; readonly fleetWidth: number }
>

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

/** The dashboard of one rollout in one environment as JSON. */
export function buildDashboard(): unknown {
  const builder = newDashboard(
    'STI Rollout Monitoring',
    DASHBOARD_UID,
    'Monitoring of the migration of a live table to single-table inheritance',
  )
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
  addPanels(builder, rolloutScope, ACTION_BAR_HEIGHT)
  return JSON.parse(JSON.stringify(builder.build()))
}

/** The dashboard of one rollout in every database that has it as JSON. */
export function buildFleetDashboard(): unknown {
  const builder = newDashboard(
    'STI Rollout Fleet',
    FLEET_DASHBOARD_UID,
    'Monitoring of a rollout in many databases: sums over its members, and the worst of them',
  )
    .variables(fleetVariables)
    .link(
      new DashboardLinkBuilder('Rollouts')
        .type(DashboardLinkType.Link)
        .icon('bolt')
        .tooltip('Open the members of the fleet with their operations')
        .url('/a/sti-rollout-app/rollouts?filter=${rollout}&toggle=${rollout}'),
    )
    .withPanel(
      membersPanel
        .title('Members')
        .id(DASHBOARD_PANELS.length + 1)
        .gridPos({ x: 0, y: 0, w: GRID_COLUMNS, h: MEMBERS_HEIGHT }),
    )
  addPanels(builder, fleetScope, MEMBERS_HEIGHT)
  return JSON.parse(JSON.stringify(builder.build()))
}

const newDashboard = (title: string, uid: string, description: string) =>
  new DashboardBuilder(title)
    .uid(uid)
    .description(description)
    .tags(['sti-rollout'])
    .editable()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-15m', to: 'now' })
    .refresh('5s')
    .timezone('browser')

/** Adds the panels from left to right. Grafana's grid has 24 columns. */
function addPanels(builder: DashboardBuilder, scope: PanelScope, top: number): void {
  const h = scope.fleet === null ? PANEL_HEIGHT : FLEET_PANEL_HEIGHT
  let x = 0
  let y = top
  DASHBOARD_PANELS.forEach((title, index) => {
    const { build, width, fleetWidth } = PANELS[title]
    const w = scope.fleet === null ? width : fleetWidth
    if (x + w > GRID_COLUMNS) {
      x = 0
      y += h
    }
    const panel: GridPanel = build(scope)
    builder.withPanel(
      panel
        .title(title)
        .id(index + 1)
        .gridPos({ x, y, w, h }),
    )
    x += w
  })
}
