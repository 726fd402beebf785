import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  PanelBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { api } from './panels/api.ts'
import { database } from './panels/database.ts'
import { errors } from './panels/errors.ts'
import { flag } from './panels/flag.ts'
import { host } from './panels/host.ts'
import { integrity } from './panels/integrity.ts'
import { progress } from './panels/progress.ts'
import { rollback } from './panels/rollback.ts'
import { variables } from './variables.ts'

const BAR = 4
const HIGH = 8

/** The eight panels, each with its width in Grafana's 24 columns: two rows of four. */
const panels = [
  { panel: progress, w: 5 },
  { panel: api, w: 6 },
  { panel: database, w: 7 },
  { panel: host, w: 6 },
  { panel: errors, w: 3 },
  { panel: integrity, w: 5 },
  { panel: flag, w: 9 },
  { panel: rollback, w: 7 },
]

const bar = new PanelBuilder()
  .id(9)
  .type('sti-rollout-panel')
  .title('')
  .transparent(true)
  .options({ agent: '${agent}', rollout: '${rollout}' })
  .gridPos({ x: 0, y: 0, w: 24, h: BAR })

const events = new AnnotationQueryBuilder()
  .name('Operations and flag')
  .datasource({ type: 'sti-rollout-datasource', uid: '${agent}' })
  .enable(true)
  .iconColor('blue')
  .target({ build: () => ({ refId: 'Anno', rollout: '$rollout', _implementsDataqueryVariant() {} }) })

/** The dashboard as JSON, the same for the same code. */
export function dashboard(): unknown {
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
    .annotation(events)
    .link(
      new DashboardLinkBuilder('Rollout')
        .type(DashboardLinkType.Link)
        .icon('bolt')
        .tooltip('Operations, validation, failed rows')
        .url('/a/sti-rollout-app/rollouts/${environment}/${rollout}'),
    )
    .withPanel(bar)
  let x = 0
  let y = BAR
  panels.forEach(({ panel, w }, index) => {
    builder.withPanel(panel.id(index + 1).gridPos({ x, y, w, h: HIGH }))
    x += w
    if (x === 24) {
      x = 0
      y += HIGH
    }
  })
  return JSON.parse(JSON.stringify(builder.build()))
}
