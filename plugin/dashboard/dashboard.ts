import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  PanelBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { apiPanel } from './panels/api.ts'
import { databasePanel } from './panels/database.ts'
import { errorsPanel } from './panels/errors.ts'
import { flagPanel } from './panels/flag.ts'
import { hostPanel } from './panels/host.ts'
import { integrityPanel } from './panels/integrity.ts'
import { progressPanel } from './panels/progress.ts'
import { rollbackPanel } from './panels/rollback.ts'
import { variables } from './variables.ts'

const ACTION_BAR_HEIGHT = 4
const PANEL_HEIGHT = 8

/** The eight panels, each with its width in Grafana's 24 columns: two rows of four. */
const panels = [
  { panel: progressPanel, w: 5 },
  { panel: apiPanel, w: 6 },
  { panel: databasePanel, w: 7 },
  { panel: hostPanel, w: 6 },
  { panel: errorsPanel, w: 3 },
  { panel: integrityPanel, w: 5 },
  { panel: flagPanel, w: 9 },
  { panel: rollbackPanel, w: 7 },
]

const actionBarPanel = new PanelBuilder()
  .id(9)
  .type('sti-rollout-panel')
  .title('')
  .transparent(true)
  .options({ agent: '${agent}', rollout: '${rollout}' })
  .gridPos({ x: 0, y: 0, w: 24, h: ACTION_BAR_HEIGHT })

const eventAnnotations = new AnnotationQueryBuilder()
  .name('Operations and flag')
  .datasource({ type: 'sti-rollout-datasource', uid: '${agent}' })
  .enable(true)
  .iconColor('blue')
  .target({ build: () => ({ refId: 'Anno', rollout: '$rollout', _implementsDataqueryVariant() {} }) })

/** The dashboard as JSON, the same for the same code. */
export function buildDashboard(): unknown {
  const builder = new DashboardBuilder('STI Rollout Monitoring')
    .uid('sti-rollout-monitoring')
    .description('A live table on its way to single-table inheritance, and back')
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
        .tooltip('Operations, validation, failed rows')
        .url('/a/sti-rollout-app/rollouts/${environment}/${rollout}'),
    )
    .withPanel(actionBarPanel)
  let x = 0
  let y = ACTION_BAR_HEIGHT
  panels.forEach(({ panel, w }, index) => {
    builder.withPanel(panel.id(index + 1).gridPos({ x, y, w, h: PANEL_HEIGHT }))
    x += w
    if (x === 24) {
      x = 0
      y += PANEL_HEIGHT
    }
  })
  return JSON.parse(JSON.stringify(builder.build()))
}
